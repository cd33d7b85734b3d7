"""An event of the log as a row of `broker_events`, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

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
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.worth import Equity
from trading_api.modules.broker.journal.record import Record, RecordError

Kind: TypeAlias = Literal["execution", "order", "position", "equity", "leverage", "reset"]
EventRow: TypeAlias = tuple[str, int, str, str, int, str]
"""account_id, seq, kind, symbol, time_ms, payload: the columns of `broker_events`."""


@dataclass(frozen=True, slots=True)
class SymbolLeverage:
    """A leverage that was set."""

    symbol: str
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class FirstDay:
    """The cash that an account begins with again."""

    balance: Decimal


EXECUTIONS = Record(Execution)
ORDERS = Record(Order)
POSITIONS = Record(Position)
_EQUITIES = Record(Equity)
_LEVERAGES = Record(SymbolLeverage)
_RESETS = Record(FirstDay)

# Each belongs to one class of events, which it does not ask about again.
_Write: TypeAlias = Callable[[Any], tuple[str, str]]
"""To symbol and payload."""
_Read: TypeAlias = Callable[[str, int, int, str], Event]


def event_row(event: Event) -> EventRow:
    """Raises RecordError for a value that is no amount."""
    symbol, payload = _WRITERS[type(event)](event)
    return event.account_id, event.seq, KINDS[type(event)], symbol, event.time_ms, payload


def event_of(account_id: str, seq: int, kind: str, time_ms: int, payload: str) -> Event:
    """Raises RecordError for a row that cannot be understood whole."""
    read = _READERS.get(kind)
    if read is None:
        raise RecordError(f"is of the kind {kind!r}, which this program does not know")
    return read(account_id, seq, time_ms, payload)


KINDS: dict[type[Event], Kind] = {
    ExecutionEvent: "execution",
    OrderEvent: "order",
    PositionEvent: "position",
    EquityEvent: "equity",
    LeverageEvent: "leverage",
    ResetEvent: "reset",
}
_WRITERS: dict[type, _Write] = {
    ExecutionEvent: lambda event: (event.execution.symbol, EXECUTIONS.text(event.execution)),
    OrderEvent: lambda event: (event.order.symbol, ORDERS.text(event.order)),
    PositionEvent: lambda event: (event.position.symbol, POSITIONS.text(event.position)),
    EquityEvent: lambda event: ("", _EQUITIES.text(event.equity)),
    LeverageEvent: lambda event: (event.symbol, _LEVERAGES.text(SymbolLeverage(event.symbol, event.leverage))),
    ResetEvent: lambda event: ("", _RESETS.text(FirstDay(event.balance))),
}


def _leverage(account_id: str, seq: int, time_ms: int, payload: str) -> Event:
    value = _LEVERAGES.value(payload)
    return LeverageEvent(account_id, seq, time_ms, value.symbol, value.leverage)


_READERS: dict[str, _Read] = {
    "execution": lambda account, seq, time_ms, text: ExecutionEvent(account, seq, time_ms, EXECUTIONS.value(text)),
    "order": lambda account, seq, time_ms, text: OrderEvent(account, seq, time_ms, ORDERS.value(text)),
    "position": lambda account, seq, time_ms, text: PositionEvent(account, seq, time_ms, POSITIONS.value(text)),
    "equity": lambda account, seq, time_ms, text: EquityEvent(account, seq, time_ms, _EQUITIES.value(text)),
    "leverage": _leverage,
    "reset": lambda account, seq, time_ms, text: ResetEvent(account, seq, time_ms, _RESETS.value(text).balance),
}
