"""Coarser bars from finer ones."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count, islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datafeed_markets import MARKETS, session_minutes, untrimmed, walk

from trading_api.modules.datafeed.bars.aggregation import BarColumns, aggregate, aggregate_columns, finer_of
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.spans import span_of
from trading_api.modules.datafeed.resolution import Resolution

R = Resolution
MINUTE = 60_000
STEPS = [
    (R.MINUTE_1, R.MINUTE_5, R.MINUTE_15),
    (R.MINUTE_1, R.MINUTE_3, R.MINUTE_15),
    (R.MINUTE_1, R.MINUTE_3, R.DAY),
    (R.MINUTE_5, R.MINUTE_30, R.MINUTE_240),
    (R.MINUTE_1, R.MINUTE_240, R.DAY),
    (R.MINUTE_1, R.DAY, R.WEEK),
    (R.MINUTE_60, R.DAY, R.MONTH),
]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def bar(time: str, price: int, volume: int = 1, *, scale: int = 0, volume_scale: int = 0) -> ScaledBar:
    return ScaledBar(ms(time), scale, price, price, price, price, volume_scale, volume)


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[ScaledBar]]:
    """A symbol with some of the minutes of a few days, inside and outside of its sessions."""
    symbol = draw(st.sampled_from(list(MARKETS)))
    noons = ["2024-03-08", "2024-07-02", "2024-11-01", "2024-11-27", "2024-12-23", "2018-11-13", "2035-12-30"]
    start = ms(draw(st.sampled_from(noons)))
    minutes = draw(st.lists(st.integers(0, 7 * 1440), max_size=60, unique=True))
    times = iter([start + minute * MINUTE for minute in sorted(minutes)])
    return symbol, list(walk(times, draw(st.integers(0, 99))))


@pytest.mark.parametrize(
    ("source", "target"),
    [(R.DAY, R.MINUTE_60), (R.MINUTE_3, R.MINUTE_5), (R.WEEK, R.MONTH), (R.MONTH, R.WEEK), (R.MINUTE_5, R.MINUTE_1)],
)
def test_D02_what_does_not_nest_is_refused(source: Resolution, target: Resolution) -> None:
    with pytest.raises(ValueError, match=f"bars of {source} do not make up bars of {target}"):
        aggregate([], MARKETS["AAPL"], source, target)


def test_D02_columns_of_the_same_resolution_are_refused() -> None:
    empty = BarColumns((), (), (), (), (), (), (), ())
    with pytest.raises(ValueError, match="not coarser"):
        aggregate_columns(empty, MARKETS["AAPL"], R.DAY, R.DAY)
    assert list(aggregate_columns(empty, MARKETS["AAPL"], R.MINUTE_1, R.DAY)) == []


def test_D02_a_bar_past_18_digits_is_refused() -> None:
    bars = [bar("2024-01-02T15:00", 10**17, 1), bar("2024-01-02T15:01", 1, 1, scale=3)]
    with pytest.raises(ValueError, match="2024-01-02 cannot be kept exactly: more than 18 digits"):
        list(aggregate(bars, MARKETS["AAPL"], R.MINUTE_1, R.DAY))
    heavy = [bar("2024-01-02T15:00", 1, 6 * 10**17), bar("2024-01-02T15:01", 1, 6 * 10**17)]
    with pytest.raises(ValueError, match="more than 18 digits"):
        list(aggregate(heavy, MARKETS["AAPL"], R.MINUTE_1, R.DAY))


def test_D02_a_volume_past_18_digits_loses_decimals_and_nothing_else() -> None:
    bars = [
        bar("2024-01-02T15:00", 1, 12_345_678_12345678, volume_scale=8),
        bar("2024-01-02T15:01", 2, 10_000_000_000_005, volume_scale=1),
        bar("2024-01-02T15:02", 3, 99_999_999_999_999_999, volume_scale=5),
    ]
    (day,) = aggregate(bars, MARKETS["AAPL"], R.MINUTE_1, R.DAY)
    exact = sum(Decimal(each.volume).scaleb(-each.volume_scale) for each in bars)
    assert len(str(day.volume)) == 18
    assert abs(Decimal(day.volume).scaleb(-day.volume_scale) - exact) <= Decimal("0.5").scaleb(-day.volume_scale)
    assert (day.open, day.high, day.close) == (1, 3, 3)


def test_D02_nothing_makes_nothing() -> None:
    assert list(aggregate([], MARKETS["AAPL"], R.MINUTE_1, R.DAY)) == []
    assert list(aggregate(iter(()), MARKETS["AAPL"], R.DAY, R.WEEK)) == []


@pytest.mark.parametrize("time", ["2024-11-28T15:00", "2024-11-29T18:00", "2024-11-30T15:00", "2024-11-29T14:29"])
@pytest.mark.parametrize("target", [R.MINUTE_5, R.DAY, R.WEEK])
def test_D02_bars_outside_every_session_are_left_out(time: str, target: Resolution) -> None:
    inside = bar("2024-11-29T14:30", 5)
    bars = sorted([inside, bar(time, 9)])
    found = list(aggregate(bars, MARKETS["AAPL"], R.MINUTE_1, target))
    assert [(each.high, each.volume) for each in found] == [(5, 1)]


def test_D02_what_nests_in_what() -> None:
    assert finer_of(R.MINUTE_1) == ()
    assert finer_of(R.MINUTE_5) == (R.MINUTE_1,)
    assert finer_of(R.MINUTE_15) == (R.MINUTE_5, R.MINUTE_3, R.MINUTE_1)
    assert finer_of(R.DAY)[0] is R.MINUTE_240
    assert len(finer_of(R.DAY)) == 8
    assert finer_of(R.WEEK) == finer_of(R.MONTH) == (R.DAY,)


def test_D02_prices_and_volumes_of_different_scales_are_exact() -> None:
    bars = [
        ScaledBar(ms("2024-01-02T14:30"), 1, 15, 20, 11, 18, 0, 7),  # 1.5 2.0 1.1 1.8
        ScaledBar(ms("2024-01-02T14:31"), 3, 1805, 1999, 1099, 1250, 4, 1),  # 1.805 1.999 1.099 1.250
        ScaledBar(ms("2024-01-02T14:32"), 0, 2, 2, 2, 2, 2, 50),
    ]
    (day,) = aggregate(bars, MARKETS["AAPL"], R.MINUTE_1, R.DAY)
    assert day == ScaledBar(ms("2024-01-02"), 3, 1500, 2000, 1099, 2000, 4, 75001)


def test_D02_equal_numbers_make_equal_bars() -> None:
    written = [bar("2024-01-02T14:30", 150, 200, scale=2, volume_scale=2)]
    (day,) = aggregate(written, MARKETS["AAPL"], R.MINUTE_1, R.DAY)
    assert (day.price_scale, day.close, day.volume_scale, day.volume) == (1, 15, 0, 2)
    (zero,) = aggregate([bar("2024-01-02T14:30", 0, 0, scale=9, volume_scale=9)], MARKETS["AAPL"], R.MINUTE_1, R.DAY)
    assert (zero.price_scale, zero.volume_scale) == (0, 0)


def test_D02_the_grid_starts_at_the_opening_also_at_a_late_one() -> None:
    regular = aggregate([bar("2018-11-14T05:30", 1)], MARKETS["SEOUL"], R.MINUTE_5, R.MINUTE_240)
    assert [each.time for each in regular] == [ms("2018-11-14T04:00")]
    late = aggregate([bar("2018-11-15T04:59", 1)], MARKETS["SEOUL"], R.MINUTE_1, R.MINUTE_240)
    assert [each.time for each in late] == [ms("2018-11-15T01:00")]


def test_D02_an_hour_that_began_before_the_opening_counts() -> None:
    """Many vendors date the first hour of New York 09:00; half of it is in the session."""
    hours = [bar("2024-01-02T13:00", 1), bar("2024-01-02T14:00", 2), bar("2024-01-02T20:00", 3)]
    (day,) = aggregate(hours, MARKETS["AAPL"], R.MINUTE_60, R.DAY)
    assert (day.open, day.close, day.volume) == (2, 3, 2)
    first, _ = aggregate(hours, MARKETS["AAPL"], R.MINUTE_60, R.MINUTE_240)
    assert first.time == ms("2024-01-02T14:30")


def test_D02_a_bar_over_the_turn_of_two_sessions_counts_where_it_begins() -> None:
    days = list(aggregate([bar("2024-01-03T20:00", 1)], MARKETS["EURUSD"], R.MINUTE_240, R.DAY))
    assert [each.time for each in days] == [ms("2024-01-03")], "17:00 in New York is 22:00"


def test_D02_days_make_weeks_and_months_by_their_date() -> None:
    days = [bar(day, number) for number, day in enumerate(["2024-01-31", "2024-02-01", "2024-02-04", "2024-02-05"])]
    weeks = list(aggregate(days, MARKETS["AAPL"], R.DAY, R.WEEK))
    assert [(each.time, each.open, each.close) for each in weeks] == [
        (ms("2024-01-29"), 0, 2),
        (ms("2024-02-05"), 3, 3),
    ]
    months = list(aggregate(days, MARKETS["AAPL"], R.DAY, R.MONTH))
    assert [(each.time, each.volume) for each in months] == [(ms("2024-01-01"), 1), (ms("2024-02-01"), 3)]


def test_D02_bars_before_1970_have_their_day() -> None:
    (week,) = aggregate([bar("1969-12-30", 4)], MARKETS["AAPL"], R.DAY, R.WEEK)
    assert week.time == ms("1969-12-29")
    (day,) = aggregate([bar("1969-12-30T15:00", 4)], MARKETS["AAPL"], R.MINUTE_60, R.DAY)
    assert day.time == ms("1969-12-30")


def test_D02_bars_are_read_as_they_are_needed() -> None:
    endless = walk((ms("2024-01-01") + number * MINUTE for number in count()), 1)
    found = list(islice(aggregate(endless, MARKETS["BTCUSD"], R.MINUTE_1, R.DAY), 3))
    assert [each.time for each in found] == [ms(f"2024-01-0{day}") for day in (1, 2, 3)]
    assert next(endless).time < ms("2024-01-05")


@given(histories(), st.sampled_from(list(R)))
def test_D02_the_same_resolution_stays_as_it_is(history: tuple[str, list[ScaledBar]], resolution: Resolution) -> None:
    symbol, bars = history
    assert list(aggregate(bars, MARKETS[symbol], resolution, resolution)) == bars


@given(histories(), st.sampled_from(STEPS))
def test_D02_in_steps_or_at_once(
    history: tuple[str, list[ScaledBar]], steps: tuple[Resolution, Resolution, Resolution]
) -> None:
    symbol, bars = history
    source, middle, target = steps
    schedule = MARKETS[symbol]
    between = list(aggregate(bars, schedule, source, middle))
    at_once = list(aggregate(bars, schedule, source, target))
    assert list(aggregate(between, schedule, middle, target)) == at_once
    assert [one.time for one in at_once] == sorted({one.time for one in at_once})


@given(histories(), st.sampled_from([r for r in R if r is not R.MINUTE_1]), st.integers(1, 9))
def test_D02_columns_and_pieces_make_the_same(
    history: tuple[str, list[ScaledBar]], target: Resolution, chunk: int
) -> None:
    symbol, bars = history
    whole = list(aggregate(bars, MARKETS[symbol], R.MINUTE_1, target))
    columns = BarColumns(*zip(*bars, strict=True)) if bars else BarColumns((), (), (), (), (), (), (), ())
    assert list(aggregate_columns(columns, MARKETS[symbol], R.MINUTE_1, target)) == whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trading_api.modules.datafeed.bars.aggregation._CHUNK", chunk)
        assert list(aggregate(bars, MARKETS[symbol], R.MINUTE_1, target)) == whole


@given(histories(), st.sampled_from([r for r in R if r is not R.MINUTE_1]))
def test_D02_each_bar_is_that_of_its_span(history: tuple[str, list[ScaledBar]], target: Resolution) -> None:
    """By the plainest means: one dictionary, one bar after the other."""
    symbol, bars = history
    groups: dict[int, list[tuple[int, ...]]] = {}
    for each in bars:
        span = span_of(MARKETS[symbol], target, each.time)
        if span is not None:
            groups.setdefault(span.time, []).append(untrimmed(each))
    expected = [
        (
            time,
            rows[0][1],
            max(row[2] for row in rows),
            min(row[3] for row in rows),
            rows[-1][4],
            sum(r[5] for r in rows),
        )
        for time, rows in groups.items()
    ]
    found = [untrimmed(one) for one in aggregate(bars, MARKETS[symbol], R.MINUTE_1, target)]
    assert found == expected
    assert all(one < other for one, other in pairwise(row[0] for row in found))


@pytest.mark.parametrize("symbol", list(MARKETS))
def test_D02_a_week_of_minutes_loses_no_volume(symbol: str) -> None:
    schedule = MARKETS[symbol]
    bars = list(walk(session_minutes(schedule, date(2024, 11, 25), 7), 3))
    given_rows = [untrimmed(each) for each in bars]
    for target in R:
        rows = [untrimmed(each) for each in aggregate(bars, schedule, R.MINUTE_1, target)]
        assert sum(row[5] for row in rows) == sum(row[5] for row in given_rows)
        assert max(row[2] for row in rows) == max(row[2] for row in given_rows)
        assert min(row[3] for row in rows) == min(row[3] for row in given_rows)
        assert (rows[0][1], rows[-1][4]) == (given_rows[0][1], given_rows[-1][4])
