"""The life of an order: one table of (state, event) -> state. Source: FIX OrdStatus (39) and its state matrices."""

from enum import Enum
from types import MappingProxyType

from trading_api.models.broker import OrderStatus

_PLACING, _INACTIVE, _WORKING = OrderStatus.PLACING, OrderStatus.INACTIVE, OrderStatus.WORKING
_FILLED, _CANCELED, _REJECTED = OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED


class OrderEventKind(Enum):
    """What can happen to an order, by FIX's ExecType (150) where that has a name for it."""

    ACCEPT = "accept"
    """It rests in the book (New)."""
    PARK = "park"
    """A bracket waits for its parent to fill."""
    ACTIVATE = "activate"
    """The parent of a bracket filled."""
    TRIGGER = "trigger"
    """The stop of a stop limit was hit (Triggered or Activated by System)."""
    FILL_PART = "fill_part"
    """A trade that leaves a remainder (Trade)."""
    FILL = "fill"
    """A trade that leaves none (Trade)."""
    REPLACE = "replace"
    """New terms with a remainder: by its owner, by trailing, by a smaller position (Replaced)."""
    REPLACE_TO_FILLED = "replace_to_filled"
    """A new quantity that equals what is filled (Replaced)."""
    CANCEL = "cancel"
    """By its owner, by the other bracket's fill, by its parent's end, or as the rest of an IOC or FOK (Canceled)."""
    EXPIRE = "expire"
    """Its time is over (Expired)."""
    REJECT = "reject"
    """The broker refuses it (Rejected)."""


class IllegalTransitionError(RuntimeError):
    """A rule asked for a step that is not in the table: a defect of the caller, never of a client's request."""

    def __init__(self, status: OrderStatus, event: OrderEventKind) -> None:
        super().__init__(f"an order that is {status.name} cannot {event.value}")
        self.status = status
        self.event = event


_E = OrderEventKind

TRANSITIONS = MappingProxyType(
    {
        (_PLACING, _E.ACCEPT): _WORKING,
        (_PLACING, _E.PARK): _INACTIVE,
        # It fills on arrival without having rested; FIX sends New first, here both are one transaction.
        (_PLACING, _E.FILL_PART): _WORKING,
        (_PLACING, _E.FILL): _FILLED,
        # IOC and FOK that find nothing. FIX calls the rest of an IOC Canceled, not Rejected: it was a valid order.
        (_PLACING, _E.CANCEL): _CANCELED,
        (_PLACING, _E.REJECT): _REJECTED,
        (_INACTIVE, _E.ACTIVATE): _WORKING,
        (_INACTIVE, _E.REPLACE): _INACTIVE,
        (_INACTIVE, _E.CANCEL): _CANCELED,
        (_WORKING, _E.TRIGGER): _WORKING,
        # TradingView has no Partially Filled (FIX 1): Working, with filledQty above zero.
        (_WORKING, _E.FILL_PART): _WORKING,
        (_WORKING, _E.FILL): _FILLED,
        (_WORKING, _E.REPLACE): _WORKING,
        # FIX: a replace to OrderQty = CumQty ends the order as Filled, whatever was asked before.
        (_WORKING, _E.REPLACE_TO_FILLED): _FILLED,
        # After part fills too: Canceled with filledQty kept (FIX: Canceled with CumQty above zero).
        (_WORKING, _E.CANCEL): _CANCELED,
        # TradingView has no Expired (FIX C): Canceled, with a message that says so.
        (_WORKING, _E.EXPIRE): _CANCELED,
        # Margin is checked again at the fill. FIX allows Rejected after New; only of an order without a fill.
        (_WORKING, _E.REJECT): _REJECTED,
    }
)


def next_status(status: OrderStatus, event: OrderEventKind) -> OrderStatus:
    """The state after the event. Raises `IllegalTransitionError` for a step that is not in the table."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransitionError(status, event) from None
