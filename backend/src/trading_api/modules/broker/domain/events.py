"""What happened to an account: the values of the log. Each carries the whole new value, never a difference."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from trading_api.modules.broker.domain.execution import Execution
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.worth import Equity


@dataclass(frozen=True, slots=True)
class _Event:
    account_id: str
    seq: int
    """Gap-free per account, from 1."""
    time_ms: int
    """The wall clock at the writer, ms UTC."""


@dataclass(frozen=True, slots=True)
class ExecutionEvent(_Event):
    """A trade."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class OrderEvent(_Event):
    """An order as it now is; a final one appears once as final and never again."""

    order: Order


@dataclass(frozen=True, slots=True)
class PositionEvent(_Event):
    """A position as it now is; quantity 0 once, when it is closed."""

    position: Position


@dataclass(frozen=True, slots=True)
class EquityEvent(_Event):
    """The account's cash from now on, and what it is worth by the quotes of the moment."""

    equity: Equity


@dataclass(frozen=True, slots=True)
class LeverageEvent(_Event):
    """The leverage of a symbol from now on."""

    symbol: str
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class ResetEvent(_Event):
    """The account is as on its first day: nothing is held, nothing is listed. The counters of ids and `seq` go on."""

    balance: Decimal


Event: TypeAlias = ExecutionEvent | OrderEvent | PositionEvent | EquityEvent | LeverageEvent | ResetEvent
"""One entry of an account's log. Those of one fill come in the order execution, order, position, equity."""
