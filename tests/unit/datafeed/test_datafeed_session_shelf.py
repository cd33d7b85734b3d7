"""What the simulator keeps of sessions that are over: never another answer, and never more than there is room for."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule, SessionWindow
from trading_api.modules.datafeed.feed.session_shelf import SessionKey, SessionShelf
from trading_api.modules.datafeed.feed.simulator import Simulator
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

CATALOGUE = {instrument.name: instrument for instrument in load_catalogue()}
NOW = int(datetime(2024, 3, 13, 18, 30, 30, tzinfo=UTC).timestamp() * 1000)
WEEK_MS = 7 * 24 * 60 * MINUTE_MS
SHARED = Simulator()


@cache
def week_of(symbol: str, resolution: Resolution) -> list[ScaledBar]:
    """A week up to NOW, by a simulator that was never asked before."""
    series = Simulator().series(CATALOGUE[symbol], resolution, NOW)
    return series.between(start=NOW - WEEK_MS, end=None, limit=20_000)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [
            ("BTCUSD", Resolution.MINUTE_5),
            ("AAPL", Resolution.MINUTE_1),
            ("ES", Resolution.MINUTE_240),
            ("EURUSD", Resolution.DAY),
        ]
    ),
    st.integers(1, 300),
    st.one_of(st.none(), st.integers(0, 3 * 24 * 60).map(lambda minutes: NOW - minutes * MINUTE_MS)),
)
def test_D02_the_newest_bars_are_the_last_of_all_whatever_was_asked_before(
    series: tuple[str, Resolution], limit: int, end: int | None
) -> None:
    symbol, resolution = series
    expected = [bar for bar in week_of(symbol, resolution) if end is None or bar.time < end][-limit:]
    found = SHARED.series(CATALOGUE[symbol], resolution, NOW).newest(end=end, limit=limit)
    assert found[-len(expected) :] == expected
    assert len(found) == limit


def test_D02_a_session_that_is_not_over_yet_is_not_kept() -> None:
    bitcoin = CATALOGUE["BTCUSD"]
    window = Schedule.of(bitcoin).latest(NOW)
    simulator, begun = Simulator(), window.start + 60 * MINUTE_MS
    assert len(simulator.series(bitcoin, Resolution.MINUTE_1, begun).newest(end=None, limit=61)) == 61
    later = simulator.series(bitcoin, Resolution.MINUTE_1, NOW).between(start=window.start, end=None, limit=2000)
    assert len(later) == (NOW - window.start) // MINUTE_MS + 1


@pytest.mark.parametrize(
    "wide", [replace(CATALOGUE["BTCUSD"], volume_precision=18), replace(CATALOGUE["BTCUSD"], pricescale=10**15)]
)
def test_D02_numbers_that_need_more_than_64_bits_are_told_all_the_same(wide: Instrument) -> None:
    day = Schedule.of(wide).latest(NOW - 24 * 60 * MINUTE_MS)
    bars = Simulator().series(wide, Resolution.MINUTE_60, NOW).between(start=day.start, end=day.end, limit=100)
    assert len(bars) == 24
    assert max(max(bar.volume, bar.high) for bar in bars) >= 2**63


def key(number: int) -> SessionKey:
    day = datetime(2024, 1, number, tzinfo=UTC).date()
    return SessionKey(CATALOGUE["AAPL"], SessionWindow(day, 0, 600 * MINUTE_MS), 1)


def some_bars(count: int) -> list[ScaledBar]:
    return [ScaledBar(number, 2, 1, 1, 1, 1, 0, number) for number in range(count)]


def test_D02_those_not_asked_for_longest_make_room() -> None:
    shelf = SessionShelf(room=10)
    shelf.put(key(1), some_bars(4))
    shelf.put(key(2), some_bars(4))
    assert shelf.get(key(1)) is not None
    shelf.put(key(3), some_bars(4))
    assert shelf.get(key(2)) is None
    kept = shelf.get(key(1))
    assert kept is not None
    assert list(kept.since(0)) == some_bars(4)
    assert list(kept.since(3)) == some_bars(4)[3:]
    assert shelf.bars_held == 8


def test_D02_a_session_that_two_threads_computed_counts_once() -> None:
    shelf = SessionShelf(room=10)
    for _ in range(2):
        shelf.put(key(1), some_bars(6))
    assert shelf.bars_held == 6
    assert len(shelf.put(key(2), some_bars(11))) == 11
    assert shelf.bars_held == 0
