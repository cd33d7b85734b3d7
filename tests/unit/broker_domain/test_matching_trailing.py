"""A trailing stop follows the market in its favour only."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.matching_orders import AAPL, BUY, ES, SELL, price, quote, stop, trailing

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.matching import stop_hit
from trading_api.modules.broker.domain.trailing import follow, trailed_stop


@pytest.mark.parametrize(
    ("side", "bid", "ask", "anchor", "stands"),
    [(SELL, "100.00", "100.10", "100.00", "99.50"), (BUY, "100.00", "100.10", "100.10", "100.60")],
)
def test_D03_a_trailing_stop_begins_so_many_pips_behind_the_market(
    side: Side, bid: str, ask: str, anchor: str, stands: str
) -> None:
    begun = follow(trailing(side, "50"), AAPL, quote(bid, ask))
    assert begun is not None
    assert (begun.trail_anchor, begun.stop_price) == (price(anchor), price(stands))


@pytest.mark.parametrize(
    ("side", "bid", "ask", "stands"),
    [
        (SELL, "100.01", "100.02", "99.51"),
        (SELL, "100.00", "109.00", None),  # only the ask moved
        (SELL, "99.99", "100.00", None),
        (BUY, "99.98", "99.99", "100.49"),
        (BUY, "91.00", "100.00", None),
        (BUY, "100.00", "100.01", None),
    ],
)
def test_D03_a_trailing_stop_moves_only_in_its_favour(side: Side, bid: str, ask: str, stands: str | None) -> None:
    old = trailing(side, "50", anchor="100", at="99.50" if side is SELL else "100.50")
    moved = follow(old, AAPL, quote(bid, ask))
    assert (moved and moved.stop_price) == price(stands)


def test_D03_an_order_that_does_not_trail_stays() -> None:
    assert follow(stop(SELL, "90"), AAPL, quote("100", "101")) is None


def test_D03_new_pips_count_from_the_best_price_so_far() -> None:
    changed = replace(trailing(SELL, "50", anchor="100", at="99.50"), trail_pips=Decimal(20))
    moved = follow(changed, AAPL, quote("99.90", "99.95"))
    assert moved is not None
    assert moved.stop_price == Decimal("99.80")


def test_D03_a_trailing_stop_is_on_the_tick_and_never_nearer_than_asked() -> None:
    assert trailed_stop(SELL, Decimal("5000.10"), Decimal(4), ES) == Decimal("4999.00")
    assert trailed_stop(BUY, Decimal("5000.10"), Decimal(4), ES) == Decimal("5001.25")


@given(st.sampled_from(Side), st.integers(1, 30), st.lists(st.integers(100, 300), min_size=1, max_size=30))
def test_D03_a_trailing_stop_is_a_running_best_and_no_quote_that_moves_it_hits_it(
    side: Side, pips: int, path: list[int]
) -> None:
    order, stops = trailing(side, str(pips)), []
    for ticks in path:
        now = quote(str(Decimal(ticks) / 100), str(Decimal(ticks + 2) / 100))
        if (moved := follow(order, AAPL, now)) is not None:
            order = moved
            assert not stop_hit(order, now)
        assert order.stop_price is not None
        stops.append(order.stop_price)
    best = min(ticks + 2 for ticks in path) + pips if side is BUY else max(path) - pips
    assert stops[-1] == Decimal(best) / 100
    assert all(side.value * later <= side.value * earlier for earlier, later in pairwise(stops))
