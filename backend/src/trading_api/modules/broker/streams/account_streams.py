"""One account that somebody in this instance follows: its follower, and what it hears over the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from trading_api.modules.broker.domain.events import EquityEvent, Event
from trading_api.modules.broker.streams.current_equity import AskEquity, current_equity
from trading_api.modules.broker.streams.follower import Follower, Render
from trading_api.modules.broker.streams.log import EventLog
from trading_api.modules.broker.writer.event_codec import load_event
from trading_api.modules.broker.writer.hint import load_hint
from trading_api.modules.broker.writer.subjects import Subjects
from trading_api.shared.bus import Bus, Message, Subscription
from trading_api.shared.ws import AnyTopic

logger = logging.getLogger(__name__)

_ASK_AGAIN_S = 1.0


class AccountStreams:
    """From the first topic of the account to its last. `claims`: topics that are there, or being created."""

    def __init__(
        self,
        account_id: str,
        log: EventLog,
        bus: Bus,
        subjects: Callable[[], Awaitable[Subjects]],
        render: Render,
        ask_equity: AskEquity,
    ) -> None:
        self.id = account_id
        self.claims = 0
        self.follower = Follower(account_id, log, render)
        self._log = log
        self._bus = bus
        self._subjects = subjects
        self._ask_equity = ask_equity
        self._subscriptions: list[Subscription] = []
        self._subscribing: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def begin(self, topic: AnyTopic, kind: type[Event]) -> None:
        """Publish to `topic` from now on. Raises StoreError."""
        # In this order, so that nothing falls between what is read and what is heard.
        await self._subscribe()
        lasts = await asyncio.to_thread(self._log.last_seqs, (self.id,))
        last = lasts.get(self.id, 0)
        self.follower.add(topic, kind, after=last)
        self.follower.begin(last)
        if kind is EquityEvent:
            await self._begin_equity(topic)

    def remove(self, topic: AnyTopic) -> None:
        """Publish nothing more to it."""
        self.follower.remove(topic)

    async def close(self) -> None:
        """Follow nothing more."""
        tasks = {task for task in (self.follower.end(), self._subscribing, self._asking) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            await subscription.unsubscribe()

    async def _subscribe(self) -> None:
        """Once, whoever comes first; the others wait for it."""
        if self._subscribing is None:
            self._subscribing = asyncio.create_task(self._hear_of_it(), name=f"hints of {self.id}")
        await asyncio.shield(self._subscribing)

    async def _hear_of_it(self) -> None:
        subjects = await self._subjects()
        for subject, handler in ((subjects.events, self._hint), (subjects.equity, self._worth)):
            self._subscriptions.append(await self._bus.subscribe(subject(self.id), handler))

    async def _hint(self, message: Message) -> None:
        self.follower.take(load_hint(message.data))

    async def _worth(self, message: Message) -> None:
        event = load_event(message.data.decode())
        assert isinstance(event, EquityEvent), "nothing else is said there"
        self.follower.take_equity(event)

    async def _begin_equity(self, topic: AnyTopic) -> None:
        """The present value at once, if the writer tells; else as soon as it does."""
        told = await current_equity(self._ask_equity, self.id)
        if told is not None:
            self.follower.show_equity(topic, told)
        elif self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_on(), name=f"equity of {self.id}")

    async def _ask_on(self) -> None:
        while (told := await current_equity(self._ask_equity, self.id)) is None:
            await asyncio.sleep(_ASK_AGAIN_S)
        self.follower.take_equity(told)
