"""The steps of an order's life as whole new values; which step is allowed is in `order_state.py`."""

from decimal import Decimal
from typing import Unpack

from trading_api.models.broker import OrderType
from trading_api.modules.broker.domain.amounts import EXACT, ZERO, average, text
from trading_api.modules.broker.domain.order import Message, Order
from trading_api.modules.broker.domain.order_changes import OrderChanges, changed
from trading_api.modules.broker.domain.order_state import OrderEventKind, next_status


def step(order: Order, kind: OrderEventKind, **changes: Unpack[OrderChanges]) -> Order:
    """The order after the event, with these other changes."""
    changes["status"] = next_status(order.status, kind)
    return changed(order, **changes)


def filled(order: Order, qty: Decimal, price: Decimal) -> Order:
    """After a trade of `qty` at `price`."""
    total = EXACT.add(order.filled_qty, qty)
    kind = OrderEventKind.FILL if total == order.qty else OrderEventKind.FILL_PART
    hit = order.type is OrderType.STOP_LIMIT
    spent = EXACT.multiply(order.filled_qty, order.avg_price or ZERO)
    return step(
        order,
        kind,
        filled_qty=total,
        avg_price=average(EXACT.add(spent, EXACT.multiply(qty, price)), total),
        triggered=hit,
        message=_triggered_message(order) if hit and total != order.qty else order.message,
    )


def triggered(order: Order) -> Order:
    """A stop limit whose stop was hit: from now on a limit order. Its message says so, its terms stay as they were."""
    said = _triggered_message(order)
    return step(order, OrderEventKind.TRIGGER, triggered=True, arrived=True, message=said)


def _triggered_message(order: Order) -> Message:
    price = text(order.stop_price or ZERO)
    return Message("information", f"Triggered: its stop price {price} was reached. From then on it is a limit order.")


def ended(order: Order, kind: OrderEventKind, reason: str) -> Order:
    """Canceled or expired, for the reason given."""
    return step(order, kind, message=Message("information", reason))


def refused(order: Order, reason: str) -> Order:
    """Rejected for the reason given; Canceled when a part of it is filled (a fill cannot be rejected any more)."""
    kind = OrderEventKind.CANCEL if order.filled_qty else OrderEventKind.REJECT
    return step(order, kind, message=Message("error", reason))
