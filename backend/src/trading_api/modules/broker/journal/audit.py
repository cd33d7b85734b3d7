"""Whether the rows that say what is now are what the log amounts to, and whether the log itself adds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from decimal import Decimal
from hashlib import blake2b
from typing import TypeAlias

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import EXACT
from trading_api.modules.broker.domain.apply import apply
from trading_api.modules.broker.domain.events import Event, ExecutionEvent, OrderEvent, ResetEvent
from trading_api.modules.broker.domain.execution import Execution
from trading_api.modules.broker.journal.event_rows import ORDERS

OrderColumns: TypeAlias = tuple[str, bool, int, int, int, str]
"""order_id, live, reset_seq, updated_ms, seq, payload: a row of `broker_orders` but for its account."""


class Audit:
    """Takes the log of an account event by event, from the account's first day on, and then says what does not fit."""

    def __init__(self, first_day: AccountState) -> None:
        self.state = first_day
        self._reset_seq = 0
        self._orders: dict[str, bytes] = {}
        """What the row of each order ever should say, as a digest: there may be millions."""
        self._live: set[str] = set()
        self._filled: dict[str, Decimal] = {}
        self._traded: dict[str, Decimal] = defaultdict(Decimal)
        self._held: dict[str, Decimal] = defaultdict(Decimal)
        self._executions: set[str] = set()
        self._twice: list[str] = []

    def take(self, event: Event) -> None:
        """The next event. Raises BrokenLogError: nothing after it can be told."""
        apply(self.state, event)
        match event:
            case OrderEvent():
                self._order(event)
            case ExecutionEvent(execution=execution):
                self._execution(execution)
            case ResetEvent(seq=seq):
                self._reset_seq = seq
                self._live.clear()
                self._held.clear()

    def differences(self, current: AccountState, rows: Iterable[OrderColumns]) -> list[str]:
        """In words: where `current` and the rows of all orders differ from the log, and what in it does not add up."""
        return [*self._twice, *self._sums(), *_state_differences(self.state, current), *self._row_differences(rows)]

    def _order(self, event: OrderEvent) -> None:
        order = event.order
        self._orders[order.id] = _digest(self._reset_seq, order.updated_ms, event.seq, ORDERS.text(order))
        self._filled[order.id] = order.filled_qty
        (self._live.add if order.is_live else self._live.discard)(order.id)

    def _execution(self, execution: Execution) -> None:
        if execution.id in self._executions:
            self._twice.append(f"execution {execution.id} happened twice")
        self._executions.add(execution.id)
        self._traded[execution.order_id] = EXACT.add(self._traded[execution.order_id], execution.qty)
        signed = EXACT.multiply(Decimal(execution.side), execution.qty)
        self._held[execution.symbol] = EXACT.add(self._held[execution.symbol], signed)

    def _sums(self) -> Iterator[str]:
        """Filled quantities are the sums of executions, positions their signed sums."""
        for order_id in self._filled.keys() | self._traded.keys():
            filled, traded = self._filled.get(order_id, Decimal(0)), self._traded.get(order_id, Decimal(0))
            if filled != traded:
                yield f"order {order_id}: filled {filled}, but its executions add up to {traded}"
        for symbol in self._held.keys() | self.state.positions.keys():
            position, traded = self.state.positions.get(symbol), self._held.get(symbol, Decimal(0))
            held = EXACT.multiply(Decimal(position.side), position.qty) if position else Decimal(0)
            if held != traded:
                yield f"position {symbol}: {held}, but its executions add up to {traded}"

    def _row_differences(self, rows: Iterable[OrderColumns]) -> Iterator[str]:
        missing = set(self._orders)
        for order_id, live, *rest in rows:
            missing.discard(order_id)
            if self._orders.get(order_id) != _digest(*rest) or live != (order_id in self._live):
                yield f"order {order_id}: its row is not its last value in the log"
        yield from (f"order {order_id}: has no row" for order_id in sorted(missing, key=int))


def _digest(*columns: object) -> bytes:
    return blake2b("\n".join(map(str, columns)).encode(), digest_size=16).digest()


def _state_differences(logged: AccountState, current: AccountState) -> Iterator[str]:
    for field in fields(AccountState):
        if not field.compare:
            continue
        expected, found = getattr(logged, field.name), getattr(current, field.name)
        if isinstance(expected, dict):
            yield from _dict_differences(field.name, expected, found)
        elif expected != found:
            yield f"{field.name}: the log says {expected}, the rows {found}"


def _dict_differences(name: str, logged: dict[str, object], current: dict[str, object]) -> Iterator[str]:
    for key in sorted(logged.keys() | current.keys()):
        expected, found = logged.get(key), current.get(key)
        if expected != found:
            yield f"{name} {key}: the log says {expected}, the rows {found}"
