"""Events as JSON text, exactly, for the bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from trading_api.modules.broker.domain import events
from trading_api.modules.broker.journal.record import Record, RecordError


@dataclass(frozen=True, slots=True)
class _EventRecord:
    """One of the fields is there; it tells the kind."""

    execution: events.ExecutionEvent | None = None
    order: events.OrderEvent | None = None
    position: events.PositionEvent | None = None
    equity: events.EquityEvent | None = None
    leverage: events.LeverageEvent | None = None
    reset: events.ResetEvent | None = None


_FIELDS: dict[type, str] = {
    events.ExecutionEvent: "execution",
    events.OrderEvent: "order",
    events.PositionEvent: "position",
    events.EquityEvent: "equity",
    events.LeverageEvent: "leverage",
    events.ResetEvent: "reset",
}
_RECORDS = Record(_EventRecord)


def dump_event(event: events.Event) -> str:
    """JSON text, plain ASCII."""
    return _RECORDS.text(_EventRecord(**{_FIELDS[type(event)]: event}))  # type: ignore[arg-type]


def load_event(text: str) -> events.Event:
    """The event of a text. Raises RecordError, a ValueError."""
    record = _RECORDS.value(text)
    found = [value for name in _FIELDS.values() if (value := getattr(record, name)) is not None]
    if len(found) != 1:
        raise RecordError(f"holds {len(found)} events instead of one")
    return cast("events.Event", found[0])
