"""Trailing stops follow the bid (sell) or the ask (buy) by pips, only in their favour (trading.md; TradingView's
`trailingStopPips`)."""

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.quote import Quote


def follow(order: Order, instrument: TradedInstrument, quote: Quote) -> Order | None:
    """The trailing stop with its new anchor and stop price; None when the quote does not move its stop.

    Also sets the first anchor and price of one that has none, so it serves for a stop that has just begun to work.
    """
    market = quote.opposing(order.side)
    if order.trail_pips is None or market is None:
        return None
    anchor = _better(order, market)
    stop = trailed_stop(order.side, anchor, order.trail_pips, instrument)
    return None if stop == order.stop_price else replace(order, trail_anchor=anchor, stop_price=stop)


def trailed_stop(side: Side, anchor: Decimal, pips: Decimal, instrument: TradedInstrument) -> Decimal:
    """The stop price of that side so many pips behind the anchor: below it for a sell, above it for a buy.

    On the tick: where the anchor is not, the stop stays a part of a tick further away, never nearer than was asked.
    """
    distance = pips * instrument.pip
    wanted, rounding = (anchor + distance, ROUND_CEILING) if side is Side.BUY else (anchor - distance, ROUND_FLOOR)
    return (wanted / instrument.tick).to_integral_value(rounding) * instrument.tick


def _better(order: Order, market: Decimal) -> Decimal:
    """The best price so far for the order's trail: the highest bid of a sell, the lowest ask of a buy."""
    anchor = order.trail_anchor
    if anchor is None:
        return market
    return min(market, anchor) if order.side is Side.BUY else max(market, anchor)
