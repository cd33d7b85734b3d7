"""An order as the broker keeps it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Literal

from trading_api.models.broker import OrderStatus, OrderType, ParentType, Side, StopType
from trading_api.modules.broker.domain.duration import GOOD_TILL_CANCEL, Duration

FINAL_STATES = frozenset({OrderStatus.CANCELED, OrderStatus.FILLED, OrderStatus.REJECTED})
"""States that an order never leaves (FIX: OrdStatus, 39, values 2, 4, 8 and C)."""


class OrderRole(Enum):
    """What an order is for."""

    ENTRY = "entry"
    """Placed by itself; it may open, close or turn a position."""
    STOP_LOSS = "stop_loss"
    """A bracket that only reduces: the stop, trailing stop or guaranteed stop of its parent."""
    TAKE_PROFIT = "take_profit"
    """A bracket that only reduces: the limit of its parent."""


@dataclass(frozen=True, slots=True)
class Message:
    """What there is to say about an order, such as why it was rejected."""

    type: Literal["information", "warning", "error"]
    text: str


@dataclass(frozen=True, slots=True)
class Brackets:
    """The protection that was asked for (TradingView's Brackets). At most one of the three stops."""

    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    guaranteed_stop: Decimal | None = None
    trailing_stop_pips: Decimal | None = None
    stop_type: StopType | None = None


NO_BRACKETS = Brackets()


@dataclass(frozen=True, slots=True)
class Order:
    """One order and all that happened to it. Prices are in the quote currency, times ms UTC."""

    id: str
    symbol: str
    type: OrderType
    side: Side
    qty: Decimal
    """All that was asked for, units (FIX OrderQty, 38)."""
    status: OrderStatus
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    """Of a trailing stop where it stands now; None before its first quote."""
    filled_qty: Decimal = Decimal(0)
    """FIX CumQty (14)."""
    avg_price: Decimal | None = None
    """FIX AvgPx (6); None before the first fill."""
    duration: Duration = GOOD_TILL_CANCEL
    expires_ms: int | None = None
    """When it expires, on the feed's clock; None for never."""
    role: OrderRole = OrderRole.ENTRY
    parent_id: str | None = None
    parent_type: ParentType | None = None
    oco_id: str | None = None
    """Of a bracket: the set that it belongs to, the same for a stop and its take profit (FIX ClOrdLinkID, 583): the id
    of the entry that asked for it, or `position:SYMBOL` of brackets that were put on the position itself."""
    stop_type: StopType | None = None
    """Of a STOP_LOSS bracket: its kind. A guaranteed stop fills at its price even in a gap."""
    trail_pips: Decimal | None = None
    """Of a trailing stop: how far it stays from the market, pips."""
    trail_anchor: Decimal | None = None
    """Of a trailing stop: the best price since it works (highest bid of a sell, lowest ask of a buy); None before."""
    triggered: bool = False
    """Of a stop limit: its stop was hit, from then on it is a limit order."""
    is_close: bool = False
    arrived: bool = False
    """It has met a quote that could be traded at, so from then on it rests in the book. Before (since it was placed
    or got its price the market was closed, or its quote stale or without a price on the order's side) the first such
    quote is its arrival."""
    brackets: Brackets = NO_BRACKETS
    """Of an ENTRY: the protection to put in place when it fills."""
    custom_fields: str = ""
    """The client's own fields as JSON text, given back as they came."""
    message: Message | None = None
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def remaining(self) -> Decimal:
        """What is still to be filled, units (FIX LeavesQty, 151, of a live order)."""
        return self.qty - self.filled_qty

    @property
    def awaits_trigger(self) -> bool:
        """Whether it waits for its stop to be hit: a stop order, or a stop limit that was not triggered yet."""
        return self.type is OrderType.STOP or (self.type is OrderType.STOP_LIMIT and not self.triggered)

    @property
    def is_limit(self) -> bool:
        """Whether it is a limit order by now: also a stop limit whose stop was hit."""
        return self.type is OrderType.LIMIT or (self.type is OrderType.STOP_LIMIT and self.triggered)

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in FINAL_STATES

    @property
    def is_live(self) -> bool:
        """Whether something can still happen to it: Placing, Inactive or Working."""
        return not self.is_final

    @property
    def is_bracket(self) -> bool:
        """Whether it protects a parent; then it only ever reduces."""
        return self.role is not OrderRole.ENTRY
