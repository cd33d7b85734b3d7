"""The work of the broker module: accounts, their orders and positions, and the streams about them."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from trading_api.models import broker as wire
from trading_api.modules.broker.account import Account, account_of
from trading_api.modules.broker.asking import Asking
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.events import ExecutionEvent
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.outcome import LeveragePreview, Preview, Refusal, invalid_for
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.requests import PreviewLeverage, PreviewOrder, Query, Request, SetLeverage
from trading_api.modules.broker.domain.unreadable import Unreadable
from trading_api.modules.broker.link.clock import wall_clock
from trading_api.modules.broker.link.state import LinkState
from trading_api.modules.broker.machinery import Machinery
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol
from trading_api.modules.broker.refused import Refused
from trading_api.modules.broker.seldom import Seldom
from trading_api.modules.broker.wire import requests
from trading_api.modules.broker.writer.call import KEY_PREFIX, Answer
from trading_api.modules.broker.writer.errors import NoWriter, Overloaded, Unreached
from trading_api.shared.service import Service, ServiceHealth
from trading_api.shared.users import User
from trading_api.shared.ws import AnyTopic, SequencedUpdate, Topic

logger = logging.getLogger(__name__)

_NOT_NOW = "Orders cannot be carried out at the moment"
LATER = f"{_NOT_NOW}; send it again with the same Idempotency-Key."
"""Why not is for the log alone: it may say where the store is, and how it fares."""
LATER_UNKEYED = f"{_NOT_NOW}. See whether it was done before you send it again; with an Idempotency-Key that is safe."
LATER_QUERY = f"{_NOT_NOW}; try again."
"""To that which changes nothing."""

SESSION_MS = 24 * 3600 * 1000
"""Final orders are listed for so long: a trading session, wherever it is."""
AnswerT = TypeVar("AnswerT")


class BrokerService(Service):
    """A paper-trading broker: one account for each user.

    What changes something raises Refused with the reasons, NoWriter when nobody carried it out in time, KeyReused. What
    reads raises StoreError.
    """

    def __init__(self, make: Callable[[], Machinery], terms: AccountTerms) -> None:
        """`make` makes machinery that has opened nothing yet: for each start its own, as it stops for good."""
        self._make = make
        self._machinery = make()
        self._terms = terms
        self._seldom = Seldom(logger)

    async def startup(self) -> None:
        """Begin to work; nobody waits for the datafeed, the bus, the lease or the store."""
        if self._machinery.stopped:
            self._machinery = self._make()
        self._machinery.start()

    async def shutdown(self) -> None:
        """Finish what was begun, and hand over."""
        await self._machinery.stop()

    def health(self) -> ServiceHealth:
        """Degraded while orders cannot be placed, or there are no quotes to trade on."""
        machinery = self._machinery
        problem = machinery.problem or machinery.market.link.problem or machinery.unvalued
        return ServiceHealth("degraded", problem) if problem else super().health()

    def account_info(self, user: User) -> wire.AccountInfo:
        """The user's account as clients see it."""
        account = self._account(user)
        return wire.AccountInfo(id=account.id, name=account.name, currency=account.currency)

    async def place(self, asking: Asking, order: wire.PreOrder) -> str:
        """The id of the new order."""
        try:
            request = requests.place_order(order)
        except Unreadable as error:
            raise Refused(invalid_for(error.problem)) from error
        return await self.change(asking, request)

    async def preview(self, user: User, order: wire.PreOrder) -> Preview:
        """What placing the order would do."""
        try:
            request = requests.place_order(order)
        except Unreadable as error:
            return Preview(order.symbol, order.qty, self._terms.currency, errors=(str(error),))
        return await self._ask(user, PreviewOrder(request), Preview)

    async def modify(self, asking: Asking, order_id: str, order: wire.ChangedOrder) -> str:
        """What was done, in words."""
        try:
            request = requests.modify_order(order_id, order)
        except Unreadable as error:
            raise Refused(invalid_for(error.problem)) from error
        return await self.change(asking, request)

    async def change(self, asking: Asking, request: Request) -> str:
        """Have the writer carry out a command. Of an order to place its id, else what was done in words."""
        return _answer(await self._execute(asking, request), str)

    async def set_leverage(self, asking: Asking, request: SetLeverage) -> Decimal:
        """The value now in force."""
        return _answer(await self._execute(asking, request), Decimal)

    async def preview_leverage(self, user: User, symbol: str, leverage: Decimal) -> LeveragePreview:
        """What setting the leverage would mean."""
        return await self._ask(user, PreviewLeverage(symbol, leverage), LeveragePreview)

    async def leverage_info(self, user: User, symbol: str) -> wire.LeverageInfo:
        """The leverage in force. Raises UnknownSymbol, MarketUnavailable, StoreError."""
        name = (await self._machinery.market.look(symbol)).instrument.symbol
        chosen = await asyncio.to_thread(self._machinery.journal.leverages, self._account(user).id)
        return wire.LeverageInfo(
            title=f"{name} leverage",
            leverage=chosen.get(name, self._terms.default_leverage),
            min=self._terms.min_leverage,
            max=self._terms.max_leverage,
            step=self._terms.leverage_step,
        )

    async def orders(self, user: User) -> list[Order]:
        """Live orders, and those that became final in this session. Oldest first."""
        return await asyncio.to_thread(
            self._machinery.journal.orders, self._account(user).id, wall_clock() - SESSION_MS
        )

    async def positions(self, user: User) -> list[Position]:
        """What is held, by symbol."""
        return await asyncio.to_thread(self._machinery.journal.positions, self._account(user).id)

    async def executions(self, user: User, symbol: str, limit: int, before_seq: int | None) -> list[ExecutionEvent]:
        """The newest of what was traded of a symbol, ascending. Raises UnknownSymbol if nobody knows it and there is
        none."""
        unknown, name = False, symbol.rpartition(":")[2].strip().upper()
        try:
            name = (await self._machinery.market.look(symbol)).instrument.symbol
        except UnknownSymbol:
            unknown = True
        except MarketUnavailable:
            # What was traded stands in the store, so it is told without the market too.
            pass
        read, account_id = self._machinery.journal.executions, self._account(user).id
        found = await asyncio.to_thread(read, account_id, name, limit, before_seq)
        # Whoever asks for older ones has seen some.
        if unknown and not found and before_seq is None:
            raise UnknownSymbol
        return found

    async def create_topic(self, topic: AnyTopic) -> None:
        """Begin a stream. Any account id will do: an unknown one means the account of whoever asks."""
        if isinstance(topic.request, wire.BrokerConnectionSubscription):
            self._stream_connection(topic)
        else:
            await self._machinery.streams.create_topic(topic)

    async def remove_topic(self, topic: AnyTopic) -> None:
        """End a stream."""
        if isinstance(topic.request, wire.BrokerConnectionSubscription):
            self._machinery.market.link.unlisten(_listener(topic))
        else:
            await self._machinery.streams.remove_topic(topic)

    async def replay(self, topic: AnyTopic, since: int) -> Sequence[SequencedUpdate[Any]]:
        """What a durable topic published after `since`."""
        return await self._machinery.streams.replay(topic, since)

    def _account(self, user: User) -> Account:
        return account_of(user, self._terms.currency)

    async def _execute(self, asking: Asking, request: Request) -> Answer:
        command_id = uuid.uuid4().hex if asking.key is None else f"{KEY_PREFIX}{asking.key}"
        try:
            return await self._machinery.commands.execute(
                self._account(asking.user).id, request, command_id=command_id, body_hash=asking.body_hash
            )
        except NoWriter as error:
            self._seldom.warn(f"a command was not carried out: {error}")
            if isinstance(error, Overloaded | Unreached):
                raise
            raise NoWriter(_later(asking, request), retry_after_s=error.retry_after_s) from None

    async def _ask(self, user: User, request: PreviewOrder | PreviewLeverage, kind: type[AnswerT]) -> AnswerT:
        return _answer(await self._execute(Asking(user), request), kind)

    def _stream_connection(self, topic: Topic[wire.BrokerConnectionSubscription, wire.BrokerConnection]) -> None:
        def tell(state: LinkState) -> None:
            topic.publish(state.wire())

        self._machinery.market.link.listen(_listener(topic), tell)


def _listener(topic: AnyTopic) -> str:
    """Topics of two users have one name; the link knows its listeners by theirs."""
    return f"{topic.name} {id(topic)}"


def _later(asking: Asking, request: Request) -> str:
    """What to do when nobody answered in time: only a key tells a request that is sent again from another."""
    if isinstance(request, Query):
        return LATER_QUERY
    return LATER if asking.key is not None else LATER_UNKEYED


def _answer(answer: Answer, kind: type[AnswerT]) -> AnswerT:
    """The answer to a request that has an answer of this kind. Raises Refused."""
    if isinstance(answer, Refusal):
        raise Refused(answer)
    assert isinstance(answer, kind), f"the writer answered with a {type(answer).__name__}"
    return answer
