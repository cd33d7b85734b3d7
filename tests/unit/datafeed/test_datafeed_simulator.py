"""The simulated feed: the same everywhere, on its grid, and every bar exactly the sum of its ticks."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_api.modules.datafeed.bars.bar import ScaledBar, bar_problems
from trading_api.modules.datafeed.feed.price_unit import price_unit
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.simulator import Simulator
from trading_api.modules.datafeed.feed.spans import BarSpan, span_after, span_at
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

CATALOGUE = {instrument.name: instrument for instrument in load_catalogue()}
IMPORTED = replace(CATALOGUE["AAPL"], name="ABC", exchange="NYSE", session="24x7", timezone="Etc/UTC")
TICK = 1000
# 2010 to 2040: any instant, in and out of sessions, across clock changes.
INSTANTS = st.integers(1_262_304_000_000, 2_208_988_800_000)
INSTRUMENTS = st.sampled_from([*CATALOGUE.values(), IMPORTED])
SIMULATOR = Simulator()


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def ticks(instrument: Instrument, start: int, end: int) -> list[Quote]:
    """The quote of every second."""
    return [SIMULATOR.quote(instrument, time) for time in range(start, end, TICK)]


def folded(span: BarSpan, seen: list[Quote], volume_before: int) -> tuple[int, ...]:
    """What a bar of these ticks must be. Volumes of quotes count from the session's opening."""
    lasts = [quote.last for quote in seen]
    return span.time, lasts[0], max(lasts), min(lasts), lasts[-1], seen[-1].volume - volume_before


def numbers(bar: ScaledBar) -> tuple[int, ...]:
    return bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume


_PRINT = """
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.simulator import Simulator
from trading_api.modules.datafeed.feed.spans import span_at
from trading_api.modules.datafeed.resolution import Resolution
feed = Simulator()
for instrument in load_catalogue():
    for time in range(1_700_000_000_000, 1_700_600_000_000, 86_411_000):
        print(feed.quote(instrument, time))
        for resolution in Resolution:
            print(feed.bar(instrument, span_at(Schedule.of(instrument), resolution, time), time))
"""


@pytest.mark.slow
def test_D02_every_process_tells_the_same_whatever_its_hash_seed() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", _PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(told) == 1
    assert len(told.pop().splitlines()) > 300


def test_D02_the_prices_of_today_are_those_of_every_version() -> None:
    """A golden value: changing it changes history."""
    quote = SIMULATOR.quote(CATALOGUE["BTCUSD"], ms("2026-01-02T03:04:05"))
    assert (quote.last, quote.bid, quote.ask, quote.volume) == (7207554, 7207552, 7207554, 61801410)


def test_D02_another_seed_is_another_market() -> None:
    time = ms("2026-01-05T16:00:00")
    assert SIMULATOR.quote(CATALOGUE["AAPL"], time) != Simulator(seed=2).quote(CATALOGUE["AAPL"], time)


@given(INSTRUMENTS, INSTANTS)
def test_D02_quotes_are_on_tick_and_in_order(instrument: Instrument, time: int) -> None:
    quote = SIMULATOR.quote(instrument, time)
    assert 0 < quote.bid < quote.ask
    assert quote.bid <= quote.last <= quote.ask
    assert 0 < quote.low <= min(quote.open, quote.last)
    assert max(quote.open, quote.last) <= quote.high
    assert quote.volume >= 0
    assert quote.previous_close > 0
    unit = instrument.minmov * 10**quote.price_scale // instrument.pricescale
    assert all(price % unit == 0 for price in (quote.last, quote.bid, quote.ask, quote.open, quote.high, quote.low))
    assert quote.volume_scale == instrument.volume_precision


@given(INSTRUMENTS, INSTANTS)
def test_D02_a_symbol_ticks_each_second_of_its_session_and_only_then(instrument: Instrument, time: int) -> None:
    window = Schedule.of(instrument).latest(time)
    quote = SIMULATOR.quote(instrument, time)
    assert window.start <= quote.time < window.end
    assert quote.time == (time // TICK * TICK if time < window.end else window.end - TICK)
    assert SIMULATOR.quote(instrument, quote.time) == quote


@settings(max_examples=40)
@given(INSTRUMENTS, INSTANTS)
def test_D02_a_minute_bar_is_the_sum_of_its_ticks(instrument: Instrument, time: int) -> None:
    span = span_at(Schedule.of(instrument), Resolution.MINUTE_1, time)
    seen = ticks(instrument, span.start, span.end)
    opening = span.parts[0].window.start
    before = SIMULATOR.quote(instrument, span.start - TICK).volume if span.start > opening else 0
    for count in (1, 17, 60):
        bar = SIMULATOR.bar(instrument, span, span.start + count * TICK - 1)
        assert numbers(bar) == folded(span, seen[:count], before)
        assert bar_problems(bar) == []


def fold_bars(bars: list[ScaledBar]) -> tuple[int, ...]:
    high, low = max(bar.high for bar in bars), min(bar.low for bar in bars)
    return bars[0].open, high, low, bars[-1].close, sum(bar.volume for bar in bars)


@settings(max_examples=25, deadline=None)
@given(INSTRUMENTS, INSTANTS, st.sampled_from([r for r in Resolution if r.minutes and r.minutes > 1]))
def test_D02_a_longer_bar_is_the_sum_of_minutes(instrument: Instrument, time: int, resolution: Resolution) -> None:
    """Also while it forms."""
    schedule = Schedule.of(instrument)
    span = span_at(schedule, resolution, time)
    minutes, minute = [], span_at(schedule, Resolution.MINUTE_1, span.start)
    now = min(time, span.end - 1)
    while minute.start <= now and minute.start < span.end:
        minutes.append(SIMULATOR.bar(instrument, minute, now))
        minute = span_after(schedule, Resolution.MINUTE_1, minute)
    assert numbers(SIMULATOR.bar(instrument, span, now))[1:] == fold_bars(minutes)


@settings(max_examples=25, deadline=None)
@given(INSTRUMENTS, INSTANTS, st.sampled_from([Resolution.DAY, Resolution.WEEK, Resolution.MONTH]))
def test_D02_a_dated_bar_is_the_sum_of_hours(instrument: Instrument, time: int, resolution: Resolution) -> None:
    schedule = Schedule.of(instrument)
    span = span_at(schedule, resolution, time)
    hours, hour = [], span_at(schedule, Resolution.MINUTE_60, span.start)
    while hour.start < span.end:
        hours.append(SIMULATOR.bar(instrument, hour, span.end))
        hour = span_after(schedule, Resolution.MINUTE_60, hour)
    assert numbers(SIMULATOR.bar(instrument, span, span.end))[1:] == fold_bars(hours)


@given(INSTRUMENTS, INSTANTS)
def test_D02_the_days_of_a_quote_are_the_bars_of_days(instrument: Instrument, time: int) -> None:
    schedule = Schedule.of(instrument)
    day = span_at(schedule, Resolution.DAY, time)
    quote, bar = SIMULATOR.quote(instrument, time), SIMULATOR.bar(instrument, day, time)
    assert (quote.open, quote.high, quote.low, quote.last, quote.volume) == numbers(bar)[1:]
    before = schedule.before(day.parts[0].window)
    assert quote.previous_close == SIMULATOR.quote(instrument, before.end - 1).last


@pytest.mark.parametrize("symbol", ["BTCUSD", "EURUSD"])
def test_D02_a_market_that_never_closes_does_not_jump(symbol: str) -> None:
    """Wednesday follows Tuesday without a gap, and no second moves by more than a day's worth."""
    instrument = CATALOGUE[symbol]
    day = Schedule.of(instrument).latest(ms("2026-03-18T12:00:00"))
    assert SIMULATOR.quote(instrument, day.start).last == SIMULATOR.quote(instrument, day.start - 1).last


def test_D02_a_minute_begins_where_the_one_before_ended() -> None:
    instrument, start = CATALOGUE["BTCUSD"], ms("2026-03-18T12:00:00")
    for minute in range(60):
        time = start + minute * 60 * TICK
        assert SIMULATOR.quote(instrument, time).last == SIMULATOR.quote(instrument, time - 1).last


@pytest.mark.parametrize("symbol", CATALOGUE)
def test_D02_ten_years_stay_sane_and_move(symbol: str) -> None:
    instrument, schedule = CATALOGUE[symbol], Schedule.of(CATALOGUE[symbol])
    span = span_at(schedule, Resolution.WEEK, ms("2016-01-06T12:00:00"))
    closes = []
    for _ in range(520):
        closes.append(SIMULATOR.bar(instrument, span, span.end).close)
        span = span_after(schedule, Resolution.WEEK, span)
    assert max(closes) < 4 * min(closes)
    moved = [later != earlier for earlier, later in pairwise(closes)]
    assert sum(moved) > 500


def test_D02_the_last_price_changes_often() -> None:
    start = ms("2026-03-18T15:00:00")
    lasts = [quote.last for quote in ticks(CATALOGUE["AAPL"], start, start + 600 * TICK)]
    assert len(set(lasts)) > 5
    assert sum(later != earlier for earlier, later in pairwise(lasts)) > 100


def test_D02_a_bar_that_has_not_begun_is_refused() -> None:
    instrument = CATALOGUE["BTCUSD"]
    span = span_at(Schedule.of(instrument), Resolution.MINUTE_1, ms("2026-03-18T15:00:00"))
    with pytest.raises(ValueError, match="nothing was traded yet"):
        SIMULATOR.bar(instrument, span, span.start - 1)


def test_D02_a_price_step_that_no_decimal_holds_is_not_covered() -> None:
    third = replace(IMPORTED, pricescale=3)
    assert price_unit(third) is None
    assert not SIMULATOR.covers(third)
    assert SIMULATOR.covers(replace(IMPORTED, pricescale=32))
    assert price_unit(CATALOGUE["ES"]) == (25, 2)


def test_D02_a_symbol_of_pennies_never_bids_below_one_tick() -> None:
    penny = replace(IMPORTED, pricescale=1, minmov=100)
    start = ms("2026-03-18T15:00:00")
    assert all(quote.bid > 0 for quote in ticks(penny, start, start + 300 * TICK))


def test_D02_a_year_of_days_is_drawn_quickly_enough() -> None:
    """Not a benchmark: it fails when somebody makes a day bar walk through its minutes."""
    instrument, schedule = CATALOGUE["BTCUSD"], Schedule.of(CATALOGUE["BTCUSD"])
    span = span_at(schedule, Resolution.DAY, ms("2024-01-01T12:00:00"))
    begun = datetime.now(UTC)
    for _ in range(365):
        SIMULATOR.bar(instrument, span, span.end)
        span = span_after(schedule, Resolution.DAY, span)
    assert datetime.now(UTC) - begun < timedelta(seconds=2)


def spans_until(instrument: Instrument, resolution: Resolution, start: int, now: int) -> list[BarSpan]:
    """Those that begin from a time on and have begun by another."""
    schedule, found = Schedule.of(instrument), list[BarSpan]()
    span = span_at(schedule, resolution, start)
    while span.start <= now:
        found.append(span)
        span = span_after(schedule, resolution, span)
    return found


@settings(max_examples=60, deadline=None)
@given(
    INSTRUMENTS,
    st.sampled_from(list(Resolution)),
    st.integers(ms("2017-01-01T00:00:00"), ms("2034-12-01T00:00:00")),
    st.integers(0, 3),
    st.integers(-3, 40),
    st.integers(1, 30),
)
def test_D02_history_is_the_bars_of_every_span_that_has_begun(
    instrument: Instrument, resolution: Resolution, start: int, days: int, ends: int, limit: int
) -> None:
    length = {Resolution.DAY: 20, Resolution.WEEK: 60, Resolution.MONTH: 200}.get(resolution, 1) * 86_400 * TICK
    now, end = start + days * length, start + ends * length // 20
    series = SIMULATOR.series(instrument, resolution, now)
    bars = [SIMULATOR.bar(instrument, span, now) for span in spans_until(instrument, resolution, start - length, now)]
    assert series.between(start=start, end=None, limit=limit) == [bar for bar in bars if bar.time >= start][:limit]
    assert series.between(start=start, end=end, limit=10**6) == [bar for bar in bars if start <= bar.time < end]
    before = [bar for bar in bars if bar.time < end]
    assert series.newest(end=end, limit=len(before) or 1)[-len(before) :] == before or not before
    assert series.newest(end=None, limit=1) == bars[-1:]


def test_D02_history_begins_with_2015() -> None:
    now = ms("2015-01-07T18:00:00")
    for instrument in CATALOGUE.values():
        for resolution in Resolution:
            series = SIMULATOR.series(instrument, resolution, now)
            bars = series.between(start=-(10**15), end=None, limit=10**6)
            assert bars == series.newest(end=None, limit=10**6)
            assert bars[0].time >= ms("2014-12-29T00:00:00")
            assert series.newest(end=bars[0].time, limit=5) == []
    assert (
        SIMULATOR.series(CATALOGUE["AAPL"], Resolution.DAY, ms("2010-01-01T00:00:00")).newest(end=None, limit=9) == []
    )


def test_D02_5000_bars_are_drawn_quickly_enough() -> None:
    """Not a benchmark: it fails when each bar is drawn from scratch."""
    for resolution in (Resolution.MINUTE_1, Resolution.DAY):
        begun = process_time()
        bars = Simulator(seed=3).series(CATALOGUE["BTCUSD"], resolution, ms("2034-01-01T00:00:00"))
        assert len(bars.newest(end=None, limit=5000)) == 5000
        assert process_time() - begun < 1
