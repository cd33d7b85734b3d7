"""What events amount to: the last value of every order, position and account that they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from trading_api.modules.broker.domain.events import (
    EquityEvent,
    Event,
    ExecutionEvent,
    LeverageEvent,
    OrderEvent,
    PositionEvent,
    ResetEvent,
)
from trading_api.modules.broker.journal.account_row import AccountRow, Book
from trading_api.modules.broker.journal.event_rows import SymbolLeverage
from trading_api.modules.broker.journal.statements import Row


class SequenceBroken(Exception):
    """The events do not follow what is written: another writer was here, or this one lost some."""


class Current:
    """One account while events are taken in. It says the same as the domain's `apply`, for rows instead of a state."""

    def __init__(self, row: AccountRow) -> None:
        self.account_id = row.account_id
        self.seq, self.reset_seq = row.seq, row.reset_seq
        self.was_reset = False
        """Nothing that was live or open before the batch is any more."""
        self.orders: dict[str, Row] = {}
        """Rows of `broker_orders` by id."""
        self.positions: dict[str, str | None] = {}
        """Payloads by symbol; None: closed."""
        self._book = row.book
        self._cash = (row.book.balance, row.book.realized, row.book.fees)
        self._next_order, self._next_execution = row.book.next_order, row.book.next_execution
        self._leverages = {each.symbol: each.leverage for each in row.book.leverages}

    def take(self, event: Event, payload: str) -> None:
        """The next event, and its payload as it is in the log. Raises SequenceBroken."""
        if event.seq != self.seq + 1:
            raise SequenceBroken(f"account {self.account_id} is at event {self.seq}; {event.seq} does not follow")
        self.seq = event.seq
        match event:
            case OrderEvent():
                self._take_order(event, payload)
            case ExecutionEvent(execution=execution):
                self._next_execution = max(self._next_execution, int(execution.id) + 1)
            case PositionEvent(position=position):
                self.positions[position.symbol] = payload if position.is_open else None
            case EquityEvent(equity=equity):
                self._cash = (equity.balance, equity.realized, equity.fees)
            case LeverageEvent(symbol=symbol, leverage=leverage):
                self._leverages[symbol] = leverage
            case ResetEvent(balance=balance):
                self._reset(balance)

    def row(self) -> AccountRow:
        """The account's row after the events."""
        balance, realized, fees = self._cash
        leverages = tuple(SymbolLeverage(*each) for each in self._leverages.items())
        book = Book(self._book.opened_with, balance, realized, fees, self._next_order, self._next_execution, leverages)
        return AccountRow(self.account_id, self.seq, self.reset_seq, book)

    def _take_order(self, event: OrderEvent, payload: str) -> None:
        order = event.order
        self._next_order = max(self._next_order, int(order.id) + 1)
        head = (self.account_id, order.id, order.is_live, self.reset_seq)
        self.orders[order.id] = (*head, order.updated_ms, self.seq, payload)

    def _reset(self, balance: Decimal) -> None:
        self.was_reset, self.reset_seq = True, self.seq
        self._cash = (balance, Decimal(0), Decimal(0))
        self._leverages.clear()
        self.positions.clear()
        self.orders = {name: (*row[:2], False, *row[3:]) for name, row in self.orders.items()}


def take_all(rows: Mapping[str, AccountRow], events: Iterable[tuple[Event, str]]) -> list[Current]:
    """Every account that the events speak of, after them. `rows` holds each. Raises SequenceBroken."""
    accounts: dict[str, Current] = {}
    for event, payload in events:
        account = accounts.get(event.account_id)
        if account is None:
            account = accounts[event.account_id] = Current(rows[event.account_id])
        account.take(event, payload)
    return list(accounts.values())
