"""Writes the events of one command, or of one quote, to one account."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import EXACT
from trading_api.modules.broker.domain.apply import apply
from trading_api.modules.broker.domain.equity import Marks, equity_of
from trading_api.modules.broker.domain.events import (
    EquityEvent,
    Event,
    ExecutionEvent,
    LeverageEvent,
    OrderEvent,
    PositionEvent,
    ResetEvent,
)
from trading_api.modules.broker.domain.execution import Execution
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.order_changes import changed
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.working_orders import WorkingOrders

Views: TypeAlias = Callable[[str], MarketView | None]
"""What is known of a symbol's market now; None for an unknown symbol."""


class Recorder:
    """Each event gets the account's next `seq` and is applied at once, so the next rule sees the new state."""

    def __init__(
        self,
        state: AccountState,
        orders: WorkingOrders,
        interest: Counter[str],
        marks: Marks,
        views: Views,
        now_ms: int,
        events: list[Event],
    ) -> None:
        """`interest` counts the live orders and open positions of each symbol; `events` is what is written to."""
        self.state = state
        self.marks = marks
        self.now_ms = now_ms
        self._orders = orders
        self._interest = interest
        self._views = views
        self._events = events

    def view(self, symbol: str) -> MarketView | None:
        """The symbol's market; its quote is from now on what positions are valued at."""
        view = self._views(symbol)
        if view is not None:
            self.marks.heed(view)
        return view

    def met(self, order: Order) -> bool:
        """Whether the order's symbol has a price on its side now, so that it meets the market."""
        view = self.view(order.symbol)
        return view is not None and view.price(order.side) is not None

    def tradable(self, symbol: str) -> Quote | None:
        """The quote to trade at now, if there is one."""
        view = self.view(symbol)
        return view.tradable if view is not None else None

    def order(self, order: Order) -> Order:
        """The order is now this."""
        updated = changed(order, updated_ms=self.now_ms)
        was_live = order.id in self.state.orders
        self._write(OrderEvent(self.state.id, self.state.seq + 1, self.now_ms, updated))
        self._orders.put(self.state.id, updated)
        self._count(order.symbol, updated.is_live - was_live)
        return updated

    def execution(self, order: Order, qty: Decimal, price: Decimal, commission: Decimal, realized: Decimal) -> None:
        """A trade of the order."""
        number = str(self.state.next_execution)
        trade = Execution(number, order.id, order.symbol, order.side, qty, price, commission, realized, self.now_ms)
        self._write(ExecutionEvent(self.state.id, self.state.seq + 1, self.now_ms, trade))

    def position(self, position: Position) -> None:
        """The position is now this; quantity 0 closes it."""
        was_open = position.symbol in self.state.positions
        self._write(PositionEvent(self.state.id, self.state.seq + 1, self.now_ms, position))
        self._count(position.symbol, position.is_open - was_open)

    def cash(self, realized: Decimal, commission: Decimal) -> None:
        """Cash changed by a trade: say what the account is worth now, as far as that is known."""
        state = self.state
        worth = equity_of(state, self.marks)
        earned = EXACT.subtract(realized, commission)
        told = replace(
            worth,
            balance=EXACT.add(worth.balance, earned),
            realized=EXACT.add(worth.realized, realized),
            fees=EXACT.add(worth.fees, commission),
            equity=None if worth.equity is None else EXACT.add(worth.equity, earned),
        )
        self._write(EquityEvent(state.id, state.seq + 1, self.now_ms, told))

    def leverage(self, symbol: str, leverage: Decimal) -> None:
        """The leverage of a symbol is now this."""
        self._write(LeverageEvent(self.state.id, self.state.seq + 1, self.now_ms, symbol, leverage))

    def reset(self, balance: Decimal) -> None:
        """The account begins anew; nothing is live or open any more."""
        self._write(ResetEvent(self.state.id, self.state.seq + 1, self.now_ms, balance))

    def next_order_id(self) -> str:
        """The id of the order that is recorded next."""
        return str(self.state.next_order)

    def _write(self, event: Event) -> None:
        apply(self.state, event)
        self._events.append(event)

    def _count(self, symbol: str, change: int) -> None:
        self._interest[symbol] += change
        if not self._interest[symbol]:
            del self._interest[symbol]
