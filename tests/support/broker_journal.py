"""Events of an account that add up, without the domain's rules: what tests of the journal write down."""

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account import AccountState, new_account
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.apply import apply
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
from trading_api.modules.broker.domain.netting import net
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.worth import Equity
from trading_api.modules.broker.journal.batch import Batch, CommandAnswer

START_MS = 1_763_740_000_000


def no_fence(_: Connection) -> None:
    """Anybody may write."""


def answer(command_id: str, account_id: str = "A", text: str = "{}") -> CommandAnswer:
    return CommandAnswer(account_id, command_id, "hash", text)


class AccountScript:
    """One account, told what happens to it; `pending`: events since the last `batch`, a millisecond each."""

    def __init__(self, account_id: str = "A", terms: AccountTerms | None = None) -> None:
        self.state: AccountState = new_account(account_id, terms or AccountTerms())
        self.pending: list[Event] = []
        self.every: list[Event] = []

    def batch(self, *answers: CommandAnswer) -> Batch:
        events, self.pending = tuple(self.pending), []
        return Batch(events, answers)

    def place(self, symbol: str = "AAPL", side: Side = Side.BUY, qty: str = "10", price: str = "100.50") -> Order:
        """A limit order that rests and reserves margin."""
        order = Order(str(self.state.next_order), symbol, OrderType.LIMIT, side, Decimal(qty), OrderStatus.WORKING)
        return self._order(replace(order, limit_price=Decimal(price), created_ms=self._now()))

    def cancel(self, order: Order) -> Order:
        return self._order(replace(order, status=OrderStatus.CANCELED))

    def fill(self, order: Order, qty: str | None = None) -> Order:
        """All that remains, or `qty`, at the order's price, without commission."""
        amount, price = Decimal(qty) if qty else order.remaining, order.limit_price
        assert price is not None
        netted = net(self.state.positions.get(order.symbol), order.symbol, order.side, amount, price)
        number = str(self.state.next_execution)
        trade = Execution(
            number, order.id, order.symbol, order.side, amount, price, Decimal(0), netted.realized, self._now()
        )
        self._add(ExecutionEvent(*self._head(), trade))
        filled = replace(order, filled_qty=order.filled_qty + amount, avg_price=price)
        if not filled.remaining:
            filled = replace(filled, status=OrderStatus.FILLED)
        filled = self._order(filled)
        self._add(PositionEvent(*self._head(), netted.position))
        self._book(netted.realized)
        return filled

    def leverage(self, symbol: str, leverage: str) -> None:
        self._add(LeverageEvent(*self._head(), symbol, Decimal(leverage)))

    def reset(self) -> None:
        self._add(ResetEvent(*self._head(), self.state.terms.balance))

    def _book(self, realized: Decimal) -> None:
        balance, total = self.state.balance + realized, self.state.realized + realized
        self._add(EquityEvent(*self._head(), Equity(balance, total, self.state.fees, Decimal(0), balance)))

    def _order(self, order: Order) -> Order:
        changed = replace(order, updated_ms=self._now())
        self._add(OrderEvent(*self._head(), changed))
        return changed

    def _add(self, event: Event) -> None:
        apply(self.state, event)
        self.pending.append(event)
        self.every.append(event)

    def _head(self) -> tuple[str, int, int]:
        return self.state.id, self.state.seq + 1, self._now()

    def _now(self) -> int:
        return START_MS + self.state.seq + 1
