"""The topics of an instance's subscribers that are about accounts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from trading_api.models.broker import (
    EquitySubscription,
    ExecutionSubscription,
    OrderSubscription,
    PositionSubscription,
)
from trading_api.modules.broker.domain.events import EquityEvent, Event, ExecutionEvent, OrderEvent, PositionEvent
from trading_api.modules.broker.streams.account_streams import AccountStreams
from trading_api.modules.broker.streams.current_equity import AskEquity
from trading_api.modules.broker.streams.follower import Render
from trading_api.modules.broker.streams.log import EventLog
from trading_api.modules.broker.streams.replay import missed
from trading_api.modules.broker.writer.hint import hint_of
from trading_api.modules.broker.writer.subjects import Subjects
from trading_api.shared.bus import Bus
from trading_api.shared.store.errors import StoreError
from trading_api.shared.ws import AnyTopic, CannotResume, SequencedUpdate, TopicRefused

logger = logging.getLogger(__name__)

POLL_S = 1.0
_KINDS: dict[type, type[Event]] = {
    OrderSubscription: OrderEvent,
    PositionSubscription: PositionEvent,
    ExecutionSubscription: ExecutionEvent,
    EquitySubscription: EquityEvent,
}
_STORE_AWAY = "The broker's store does not answer; try again later."


class Streams:
    """The WsService of the routes orders, positions, executions and equity (a DurableWsService), and a Listener of the

    writer. Each event reaches every topic that it belongs to once and in order, in whichever instance it was written.
    """

    def __init__(
        self,
        log: EventLog,
        bus: Bus,
        *,
        subjects: Callable[[], Awaitable[Subjects]],
        account_of: Callable[[AnyTopic], str],
        render: Render,
        ask_equity: AskEquity,
        poll_s: float = POLL_S,
    ) -> None:
        """`subjects`: of the store, or StoreError; `account_of`: whose topic it is; `render`: from an event to the

        model of its route; `ask_equity`: of the writer (Commands.equity); `poll_s`: how often the log is looked at,
        whatever the bus says.
        """
        self._log = log
        self._bus = bus
        self._subjects = subjects
        self._account_of = account_of
        self._render = render
        self._ask_equity = ask_equity
        self._poll_s = poll_s
        self._accounts: dict[str, AccountStreams] = {}
        self._topics: dict[AnyTopic, AccountStreams] = {}
        self._polling: asyncio.Task[None] | None = None
        self._look = asyncio.Event()
        self._complaint = ""

    def start(self) -> None:
        """Look into the log now and then, in the running event loop."""
        self._bus.on_reconnect(self._reconnected)
        self._polling = asyncio.create_task(self._poll(), name="broker streams")

    async def stop(self) -> None:
        """Follow nothing more."""
        polling, self._polling = self._polling, None
        if polling is not None:
            polling.cancel()
            await asyncio.wait({polling})
        accounts, self._accounts = list(self._accounts.values()), {}
        self._topics.clear()
        for account in accounts:
            await account.close()

    async def create_topic(self, topic: AnyTopic) -> None:
        """Publish what happens from now on, and of equity the present value too. Raises TopicRefused."""
        account = self._claim(self._account_of(topic))
        try:
            await account.begin(topic, _KINDS[type(topic.request)])
        except BaseException as error:
            await self._release(account)
            if isinstance(error, StoreError):
                logger.warning("%s cannot be streamed: %s", topic.name, error)
                raise TopicRefused(_STORE_AWAY) from None
            raise
        self._topics[topic] = account

    async def remove_topic(self, topic: AnyTopic) -> None:
        """Publish nothing more to it."""
        account = self._topics.pop(topic, None)
        if account is not None:
            account.remove(topic)
            await self._release(account)

    async def replay(self, topic: AnyTopic, since: int) -> Sequence[SequencedUpdate[Any]]:
        """What the topic's subscriber missed. Raises CannotResume."""
        kind = _KINDS[type(topic.request)]
        try:
            return await missed(self._log, self._account_of(topic), kind, since, self._render)
        except StoreError as error:
            logger.warning("%s cannot be replayed: %s", topic.name, error)
            raise CannotResume(_STORE_AWAY) from None

    def written(self, account_id: str, events: Sequence[Event]) -> None:
        """The writer of this instance has written."""
        account = self._accounts.get(account_id)
        if account is not None:
            account.follower.take(hint_of(events, inline=len(events)))

    def worth(self, event: EquityEvent) -> None:
        """The writer of this instance says what an account is worth."""
        account = self._accounts.get(event.account_id)
        if account is not None:
            account.follower.take_equity(event)

    def _claim(self, account_id: str) -> AccountStreams:
        account = self._accounts.get(account_id)
        if account is None:
            account = AccountStreams(account_id, self._log, self._bus, self._subjects, self._render, self._ask_equity)
            self._accounts[account_id] = account
        account.claims += 1
        return account

    async def _release(self, account: AccountStreams) -> None:
        account.claims -= 1
        if account.claims == 0 and self._accounts.get(account.id) is account:
            del self._accounts[account.id]
            await account.close()

    async def _reconnected(self) -> None:
        """Hints may have been missed."""
        self._look.set()

    async def _poll(self) -> None:
        """The net below the hints."""
        while True:
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self._look_into_log()
            except Exception:  # A boundary: the net must hold, whatever it caught.
                logger.exception("the log cannot be looked into")

    async def _look_into_log(self) -> None:
        followers = [account.follower for account in self._accounts.values() if account.follower.begun]
        if not followers:
            return
        try:
            lasts = await asyncio.to_thread(self._log.last_seqs, [each.account_id for each in followers])
        except StoreError as error:
            self._complain(str(error))
            return
        self._complain("")
        for follower in followers:
            follower.hear(lasts.get(follower.account_id, 0))

    def _complain(self, problem: str) -> None:
        """Once per problem."""
        if problem and problem != self._complaint:
            logger.warning("the log cannot be looked into: %s", problem)
        self._complaint = problem
