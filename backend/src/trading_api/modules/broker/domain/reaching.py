"""What a new quote, or the passing of the feed's time, does to the orders of one symbol, over all accounts."""

from collections.abc import Callable

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.duration import DurationKind
from trading_api.modules.broker.domain.fills import end, meet, must_wait
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.matching import fill_price
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import step
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.trailing import follow
from trading_api.modules.broker.domain.working_orders import WorkingOrders

Recorders = Callable[[str], Recorder]
"""Account id → the recorder of its events."""


def expire(orders: WorkingOrders, symbol: str, feed_ms: int, recorders: Recorders) -> None:
    """End the orders whose time is over by the feed's clock (FIX TimeInForce, 59): before the quote of that moment."""
    for account_id, order_id in orders.expired(symbol, feed_ms):
        rec = recorders(account_id)
        order = rec.state.orders.get(order_id)
        if order is not None:
            end(rec, order, OrderEventKind.EXPIRE, _expired(order))


def expire_by_wall_clock(orders: WorkingOrders, symbol: str, now_ms: int, recorders: Recorders) -> None:
    """The same while the feed's clock is not known: it is taken for that of the day.

    But not of an order whose end was past by that clock when it was placed: it lives by the clock of a replay, which
    runs in other days, and waits for it.
    """
    for account_id, order_id in orders.expired(symbol, now_ms):
        rec = recorders(account_id)
        order = rec.state.orders.get(order_id)
        if order is not None and order.expires_ms is not None and order.expires_ms > order.created_ms:
            end(rec, order, OrderEventKind.EXPIRE, _expired(order))


def trail(orders: WorkingOrders, view: MarketView, quote: Quote, recorders: Recorders) -> None:
    """Move the trailing stops that the quote moves; it cannot also trigger one that it moves.

    Where the symbol's tick has grown, so have pips: a stop that would go back stays until the market is so far away.
    """
    for account_id, order_id in orders.trailing(quote):
        rec = recorders(account_id)
        stands = rec.state.orders[order_id]
        moved = follow(stands, view.instrument, quote)
        if moved is not None and not _goes_back(stands, moved):
            rec.order(step(moved, OrderEventKind.REPLACE))


def _goes_back(stands: Order, moved: Order) -> bool:
    before, after = stands.stop_price, moved.stop_price
    if before is None or after is None:
        return False
    return after > before if stands.side is Side.BUY else after < before


def reach(orders: WorkingOrders, quote: Quote, recorders: Recorders) -> None:
    """Fill and trigger what the quote reaches, in price-time priority, stops first (`WorkingOrders.due`).

    A limit order that waited for a market to meet arrives with this quote, so it fills at it, not at its limit. A fill
    may cancel or shrink what comes later in the round, so each order is looked at as it is at its turn.
    """
    for account_id, order_id in orders.due(quote):
        rec = recorders(account_id)
        order = rec.state.orders.get(order_id)
        if order is not None:
            meet(rec, order, quote, arriving=not order.arrived)


def settle_arrivals(orders: WorkingOrders, quote: Quote, recorders: Recorders) -> None:
    """What the quote has not filled has now met the market: from here on it rests. Not what waits (`fills.wait`)."""
    for account_id, order_id in orders.arriving(quote.symbol):
        rec = recorders(account_id)
        order = rec.state.orders[order_id]
        waits = must_wait(rec, order) and fill_price(order, quote, arriving=True) is not None
        if quote.opposing(order.side) is not None and not waits:
            rec.order(step(order, OrderEventKind.REPLACE, arrived=True))


def _expired(order: Order) -> str:
    if order.duration.kind is DurationKind.DAY:
        return "Expired: the session is over."
    return "Expired: its time is over."
