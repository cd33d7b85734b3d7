"""A row of `broker_accounts`: what there is to know of an account beside its orders and positions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.journal.event_rows import SymbolLeverage
from trading_api.modules.broker.journal.naming import named_row
from trading_api.modules.broker.journal.record import Record

AccountColumns: TypeAlias = tuple[str, int, int, str]
"""account_id, seq, reset_seq, payload: the columns of `broker_accounts`."""


@dataclass(frozen=True, slots=True)
class Book:
    """An account's money, account currency, and its counters of ids."""

    opened_with: Decimal
    """Its cash before the first event, by the terms of that day: where a replay of the log begins."""
    balance: Decimal
    realized: Decimal
    fees: Decimal
    next_order: int
    next_execution: int
    leverages: tuple[SymbolLeverage, ...]


BOOKS = Record(Book)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """`seq` of the last event and of the last reset (0: none), and the rest. Raises RecordError where it is read."""

    account_id: str
    seq: int
    reset_seq: int
    book: Book

    @classmethod
    def read(cls, account_id: str, seq: int, reset_seq: int, payload: str) -> AccountRow:
        with named_row("broker_accounts", account_id):
            return cls(account_id, seq, reset_seq, BOOKS.value(payload))

    @classmethod
    def new(cls, account_id: str, terms: AccountTerms) -> AccountRow:
        """Of an account of which nothing is written yet."""
        zero = Decimal(0)
        return cls(account_id, 0, 0, Book(terms.balance, terms.balance, zero, zero, 1, 1, ()))

    def columns(self) -> AccountColumns:
        return self.account_id, self.seq, self.reset_seq, BOOKS.text(self.book)

    def state(self, terms: AccountTerms, orders: list[Order], positions: list[Position]) -> AccountState:
        """The account with its live orders, in the order in which they were made, and its open positions."""
        return AccountState(
            self.account_id,
            terms,
            seq=self.seq,
            next_order=self.book.next_order,
            next_execution=self.book.next_execution,
            balance=self.book.balance,
            realized=self.book.realized,
            fees=self.book.fees,
            leverages={each.symbol: each.leverage for each in self.book.leverages},
            orders={order.id: order for order in sorted(orders, key=number_of)},
            positions={position.symbol: position for position in positions},
        )


def number_of(order: Order) -> int:
    """Ids are numbers from the account's counter: the order in which orders were made."""
    return int(order.id)
