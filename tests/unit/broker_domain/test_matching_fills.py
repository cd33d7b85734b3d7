"""At what price a quote fills an order: every row of the contract's rule, at, just beside and beyond its price."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.matching_orders import BUY, SELL, limit, market, price, quote, stop, stop_limit

from trading_api.models.broker import OrderType, Side, StopType
from trading_api.modules.broker.domain.matching import fill_price, stop_hit
from trading_api.modules.broker.domain.order import Order

SIDES = st.sampled_from(Side)
PRICES = st.integers(1, 400).map(lambda ticks: Decimal(ticks) / 4)


@pytest.mark.parametrize("arriving", [True, False])
@pytest.mark.parametrize(("side", "expected"), [(BUY, "101"), (SELL, "99")])
def test_D03_a_market_order_buys_at_the_ask_and_sells_at_the_bid(side: Side, expected: str, arriving: bool) -> None:
    assert fill_price(market(side), quote("99", "101"), arriving=arriving) == Decimal(expected)


@pytest.mark.parametrize(
    ("side", "at", "bid", "ask", "rests", "arrives"),
    [
        (BUY, "100", "99.99", "100.01", None, None),  # within the spread: the bid has no say
        (BUY, "100", "99.99", "100.00", "100", "100"),
        (BUY, "100", "94.99", "95.00", "100", "95"),
        (SELL, "100", "99.99", "100.01", None, None),
        (SELL, "100", "100.00", "100.01", "100", "100"),
        (SELL, "100", "105.00", "105.01", "100", "105"),
    ],
)
def test_D03_a_limit_fills_at_its_limit_when_it_rests_and_at_the_opposing_quote_on_arrival(
    side: Side, at: str, bid: str, ask: str, rests: str | None, arrives: str | None
) -> None:
    assert fill_price(limit(side, at), quote(bid, ask)) == price(rests)
    assert fill_price(limit(side, at), quote(bid, ask), arriving=True) == price(arrives)


@pytest.mark.parametrize(
    ("side", "at", "bid", "ask", "expected"),
    [
        (BUY, "100", "99.98", "99.99", None),
        (BUY, "100", "99.99", "100.00", "100"),
        (BUY, "100", "102.99", "103.00", "103"),
        (SELL, "100", "100.01", "100.02", None),
        (SELL, "100", "100.00", "100.50", "100"),
        (SELL, "100", "97.00", "97.01", "97"),
    ],
)
def test_D03_a_gap_fills_a_stop_at_the_gapped_quote(
    side: Side, at: str, bid: str, ask: str, expected: str | None
) -> None:
    assert fill_price(stop(side, at), quote(bid, ask)) == price(expected)


@pytest.mark.parametrize(("side", "bid", "ask"), [(BUY, "100.00", "100.01"), (SELL, "99.99", "100.00")])
def test_D03_a_buy_stop_looks_at_the_ask_and_a_sell_stop_at_the_bid(side: Side, bid: str, ask: str) -> None:
    far = stop(side, "100.01" if side is BUY else "99.99")
    wrong_quote_only = quote("100.01", "100.00") if side is BUY else quote("100.00", "99.99")
    assert stop_hit(far, quote(bid, ask))
    assert not stop_hit(far, wrong_quote_only)


@pytest.mark.parametrize(("side", "bid", "ask"), [(SELL, "80", "81"), (BUY, "119", "120")])
def test_D03_a_guaranteed_stop_fills_at_its_own_price_in_a_gap(side: Side, bid: str, ask: str) -> None:
    guaranteed = replace(stop(side, "100"), stop_type=StopType.GUARANTEED_STOP)
    assert fill_price(guaranteed, quote(bid, ask)) == 100
    assert fill_price(guaranteed, quote("101", "102") if side is SELL else quote("98", "99")) is None


@pytest.mark.parametrize(
    ("side", "at", "then", "bid", "ask", "hit", "expected"),
    [
        (BUY, "100", "102", "99", "99.99", False, None),  # marketable, but its stop was not hit
        (BUY, "100", "102", "99", "100", True, "100"),
        (BUY, "100", "102", "101", "102", True, "102"),
        (BUY, "100", "102", "102", "102.01", True, None),  # gapped over its limit: it rests
        (SELL, "100", "98", "100.01", "101", False, None),
        (SELL, "100", "98", "99", "101", True, "99"),
        (SELL, "100", "98", "97.99", "98", True, None),
    ],
)
def test_D03_a_stop_limit_becomes_a_limit_once_its_stop_is_hit(
    side: Side, at: str, then: str, bid: str, ask: str, hit: bool, expected: str | None
) -> None:
    waiting = stop_limit(side, at, then)
    assert stop_hit(waiting, quote(bid, ask)) is hit
    assert fill_price(waiting, quote(bid, ask)) == price(expected)


def test_D03_a_triggered_stop_limit_rests_at_its_limit_wherever_its_stop_is() -> None:
    resting = replace(stop_limit(BUY, "100", "102"), triggered=True)
    assert fill_price(resting, quote("102.50", "103")) is None
    assert fill_price(resting, quote("90", "91")) == 102
    assert fill_price(resting, quote("90", "91"), arriving=True) == 91
    assert not stop_hit(resting, quote("102.50", "103"))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    made = stop_limit(draw(SIDES), str(draw(PRICES)), str(draw(PRICES)))
    return replace(made, type=draw(st.sampled_from(OrderType)), triggered=draw(st.booleans()))


@given(orders(), PRICES, st.integers(0, 8), st.booleans())
def test_D03_no_fill_is_worse_than_a_limit_or_better_than_the_market(
    made: Order, bid: Decimal, spread: int, arriving: bool
) -> None:
    now = quote(str(bid), str(bid + Decimal(spread) / 4))
    filled = fill_price(made, now, arriving=arriving)
    if filled is None:
        return
    market_price = now.opposing(made.side)
    assert market_price is not None
    sign = made.side.value
    assert sign * filled >= sign * market_price
    if made.type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        assert made.limit_price is not None
        assert sign * filled <= sign * made.limit_price
