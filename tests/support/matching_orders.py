"""Orders and quotes in few words: numbers as text, so that what a test says is exact."""

from dataclasses import replace
from decimal import Decimal

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.quote import Quote

AAPL = TradedInstrument("AAPL", tick=Decimal("0.01"), step=Decimal("0.0001"))
ES = TradedInstrument("ES", tick=Decimal("0.25"), step=Decimal(1))
BUY, SELL = Side.BUY, Side.SELL


def price(text: str | None) -> Decimal | None:
    """A number, or none."""
    return None if text is None else Decimal(text)


def quote(bid: str, ask: str, symbol: str = "AAPL") -> Quote:
    """A quote at some moment."""
    return Quote(symbol, Decimal(bid), Decimal(ask), time_ms=1_704_153_600_000)


def order(
    kind: OrderType, side: Side, *, limit: str | None = None, stop: str | None = None, qty: str = "10", name: str = "1"
) -> Order:
    """A working order for AAPL."""
    return Order(name, "AAPL", kind, side, Decimal(qty), OrderStatus.WORKING, price(limit), price(stop))


def market(side: Side) -> Order:
    return replace(order(OrderType.MARKET, side), status=OrderStatus.PLACING)


def limit(side: Side, at: str) -> Order:
    return order(OrderType.LIMIT, side, limit=at)


def stop(side: Side, at: str) -> Order:
    return order(OrderType.STOP, side, stop=at)


def stop_limit(side: Side, at: str, then: str) -> Order:
    return order(OrderType.STOP_LIMIT, side, stop=at, limit=then)


def trailing(side: Side, pips: str, *, anchor: str | None = None, at: str | None = None) -> Order:
    """A trailing stop, by default one that has seen no quote."""
    return replace(stop(side, "1"), stop_price=price(at), trail_pips=Decimal(pips), trail_anchor=price(anchor))
