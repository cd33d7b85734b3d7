"""When a quote is a price to trade at, and whose quotes are kept (D03)."""

from decimal import Decimal

import pytest

from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.market.hours import TradingHours
from trading_api.modules.broker.market.listing import Freshness, Listing
from trading_api.modules.broker.market.listings import LOOKED_S, Listings
from trading_api.modules.broker.market.reading import QuoteReading
from trading_api.modules.broker.market.subscriptions import MAX_HELD

OPEN, CLOSE = 1_000_000, 9_000_000
NOON = 5_000_000
FRESHNESS = Freshness(streamed_s=60, unlinked_s=5)
AAPL = TradedInstrument("AAPL", Decimal("0.01"), Decimal("0.0001"))


def listing(time_ms: int | None = None, at: float = 1000.0) -> Listing:
    """One with a quote that was heard at `at`, at noon; with a time of its own it came with that."""
    found = Listing("AAPL", instrument=AAPL, hours=TradingHours(OPEN, CLOSE))
    assert found.take(reading(1, time_ms), NOON, at)
    return found


def reading(bid: int, time_ms: int | None = None) -> QuoteReading:
    return QuoteReading("AAPL", (Decimal(bid), Decimal(bid + 1)), time_ms)


def bid(of: Listing) -> Decimal | None:
    return of.quote.bid if of.quote else None


def view(of: Listing, *, after: float, lost_at: float | None = None, now_ms: int | None = None) -> MarketView:
    """So many seconds after 1000."""
    now = NOON + round(after * 1000) if now_ms is None else now_ms
    found = of.view(now, 1000 + after, lost_at, FRESHNESS)
    assert found is not None
    return found


@pytest.mark.parametrize(("after", "stale"), [(0, False), (60, False), (60.1, True)])
def test_D03_a_streamed_quote_is_good_for_as_long_as_is_said(after: float, stale: bool) -> None:
    found = view(listing(), after=after)
    assert found.stale is stale
    assert found.quote == Quote("AAPL", Decimal(1), Decimal(2), NOON)
    assert (found.tradable is None) is stale


def test_D03_a_view_says_whether_the_datafeed_has_said_what_the_quote_is() -> None:
    unheard = Listing("AAPL", instrument=AAPL, hours=TradingHours(OPEN, CLOSE))
    assert not view(unheard, after=0).is_heard
    assert unheard.take(QuoteReading("AAPL", None, None), NOON, 1000)
    assert (view(unheard, after=0).is_heard, view(unheard, after=0).quote) == (True, None)
    assert view(listing(), after=0).is_heard


@pytest.mark.parametrize(("age", "stale"), [(0, False), (60_000, False), (60_001, True), (-5000, False)])
def test_D03_a_quote_with_its_own_time_is_as_old_as_it_says_however_lately_it_came(age: int, stale: bool) -> None:
    assert view(listing(time_ms=NOON - age), after=0).stale is stale


@pytest.mark.parametrize(
    ("lost", "after", "stale"),
    [(2, 4, False), (2, 7, False), (2, 7.1, True), (-500, 5, False), (-500, 5.1, True)],
)
def test_D03_without_a_link_it_is_good_for_five_seconds_more(lost: float, after: float, stale: bool) -> None:
    for own_time in (None, NOON):
        assert view(listing(own_time), after=after, lost_at=1000 + lost).stale is stale


def test_D03_in_a_closed_market_the_last_quote_is_not_stale_but_nothing_trades_at_it() -> None:
    early = view(listing(), after=3000, now_ms=OPEN - 1)
    assert (early.stale, early.is_open, early.session_end_ms, early.tradable) == (False, False, CLOSE, None)
    assert view(listing(), after=3000, now_ms=OPEN).stale


def test_D03_when_a_session_is_over_nobody_knows_yet_whether_the_next_has_begun() -> None:
    late = view(listing(), after=0, now_ms=CLOSE)
    assert (late.stale, late.is_open, late.session_end_ms, late.now_ms) == (True, False, None, CLOSE)


def test_D03_without_grids_or_hours_there_is_no_view() -> None:
    assert Listing("AAPL", instrument=AAPL).view(NOON, 0, None, FRESHNESS) is None
    assert Listing("AAPL", hours=TradingHours(0, 1)).view(NOON, 0, None, FRESHNESS) is None


def test_D03_an_older_quote_of_an_instance_that_lags_is_passed_over() -> None:
    found = listing(time_ms=NOON)
    assert not found.take(reading(5, NOON - 1), NOON, 1001)
    assert bid(found) == 1
    assert found.take(reading(6, NOON), NOON, 1001), "of one time the later one"
    assert found.take(QuoteReading("AAPL", None, None), NOON, 1002)
    assert bid(found) is None
    assert found.take(reading(7, NOON - 1), NOON, 1003), "after there was none, any is new"


def test_D03_a_watched_symbol_is_kept_and_one_that_was_looked_at_for_a_while() -> None:
    listings = Listings()
    listings.watch(frozenset("A"))
    kept = listings.look_at("X:B", "B", at=100)
    assert listings.find("X:B") is listings.find("B") is kept
    listings.forget(100 + LOOKED_S - 0.1)
    assert listings.streamed() == {"A", "B"}
    listings.forget(100 + LOOKED_S)
    assert listings.streamed() == {"A"}
    assert listings.find("X:B") is listings.find("B") is None
    listings.watch(frozenset("B"))
    assert [each.symbol for each in listings.watched()] == ["B"]
    listings.forget(1000)
    assert [each.symbol for each in listings] == ["B"]


def test_D03_a_watched_symbol_that_is_looked_at_stays_when_it_is_watched_no_longer() -> None:
    listings = Listings()
    listings.watch(frozenset("A"))
    listings.look_at("A", "A", at=100)
    listings.watch(frozenset())
    listings.forget(100)
    assert listings.streamed() == {"A"}


def test_D03_looks_take_the_room_that_what_is_watched_leaves_the_latest_first() -> None:
    listings = Listings()
    watched = frozenset(f"W{number}" for number in range(MAX_HELD - 2))
    listings.watch(watched)
    for number in range(5):
        listings.look_at(f"L{number}", f"L{number}", at=number)
    assert listings.streamed() - watched == {"L3", "L4"}
    assert listings.streamed() >= watched


def test_D03_however_many_symbols_are_looked_at_only_so_many_are_kept() -> None:
    listings = Listings()
    for number in range(5000):
        listings.look_at(f"X:{number}", str(number), at=number / 1000)
    listings.forget(5)
    assert len(list(listings)) == 2000
    assert listings.find("4999")
    assert listings.find("X:0") is None
