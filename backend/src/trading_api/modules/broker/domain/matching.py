"""At what price an order fills against a quote (trading.md, "Fills"; FIX OrdType, 40). Nothing else moves a price.

Where the quote has no price on the order's side (`Quote.opposing`), nothing triggers and nothing fills.
"""

from decimal import Decimal

from trading_api.models.broker import OrderType, Side, StopType
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.quote import Quote


def fill_price(order: Order, quote: Quote, *, arriving: bool = False) -> Decimal | None:
    """The price at which the quote fills all that remains of the order, quote currency; None if it does not.

    `arriving`: the order has just been placed, or its price has just been changed, so that it meets the book like a
    new one: a limit that is marketable then trades at the opposing quote. One that rests trades at its limit.
    """
    match order.type:
        case OrderType.MARKET:
            return quote.opposing(order.side)
        case OrderType.LIMIT:
            return _limit_fill(order, quote, arriving=arriving)
        case OrderType.STOP:
            return _stop_fill(order, quote)
        case OrderType.STOP_LIMIT if order.triggered:
            return _limit_fill(order, quote, arriving=arriving)
        case OrderType.STOP_LIMIT:
            # The quote that hits its stop is the one at which the limit arrives.
            return _limit_fill(order, quote, arriving=True) if stop_hit(order, quote) else None


def stop_hit(order: Order, quote: Quote) -> bool:
    """Whether the quote triggers the order's stop: the ask at or above a buy's, the bid at or below a sell's.

    False for an order that waits for no stop, such as a stop limit that was triggered before. When a stop limit is hit
    and `fill_price` is None, it has become a limit order that rests: store it as `triggered`.
    """
    market = quote.opposing(order.side)
    if market is None or not order.awaits_trigger or order.stop_price is None:
        return False
    return market >= order.stop_price if order.side is Side.BUY else market <= order.stop_price


def _limit_fill(order: Order, quote: Quote, *, arriving: bool) -> Decimal | None:
    """Never worse than the limit: a buy fills once the ask is at or below it, a sell once the bid is at or above it."""
    limit, market = order.limit_price, quote.opposing(order.side)
    if limit is None or market is None:
        return None
    marketable = market <= limit if order.side is Side.BUY else market >= limit
    if not marketable:
        return None
    return market if arriving else limit


def _stop_fill(order: Order, quote: Quote) -> Decimal | None:
    """The quote that hit the stop, so a gap fills at the gapped price; a guaranteed stop fills at its own price."""
    if not stop_hit(order, quote):
        return None
    return order.stop_price if order.stop_type is StopType.GUARANTEED_STOP else quote.opposing(order.side)
