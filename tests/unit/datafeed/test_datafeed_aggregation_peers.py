"""Coarser bars, computed a second and a third time by pandas and polars, which share no code with ours.

The minutes are those of whole weeks, closed hours included, with clock changes, holidays and half days among them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pandas  # type: ignore[import-untyped]
import polars
import pytest
from support.datafeed_markets import MARKETS, untrimmed, walk

from trading_api.codegen.calendar_source import read_source
from trading_api.modules.datafeed.bars.aggregation import aggregate
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.resolution import Resolution

SYMBOLS = ["AAPL", "EURUSD", "BTCUSD", "ES"]
WEEKS = {
    "summer time in America": ("2024-03-07", 6),
    "Easter, summer time in Europe": ("2024-03-28", 5),
    "winter time": ("2024-10-31", 6),
    "Thanksgiving": ("2024-11-26", 7),
    "Christmas": ("2024-12-23", 5),
    "Independence Day": ("2025-07-01", 7),
}
TARGETS = [resolution for resolution in Resolution if resolution is not Resolution.MINUTE_1]
COLUMNS = ["time", "open", "high", "low", "close", "volume"]
Row = tuple[int, ...]
# Which days are special, by hand: closed, or closed early (minutes after midnight in the zone of the symbol).
STOCK_HOLIDAYS = ["2024-03-29", "2024-11-28", "2024-12-25", "2025-01-01", "2025-07-04"]
STOCK_HALF_DAYS = {"2024-11-29": 780, "2024-12-24": 780, "2025-07-03": 780}
FUTURES_HOLIDAYS = ["2024-03-29", "2024-12-25", "2025-01-01"]
FUTURES_HALF_DAYS = {"2024-11-28": 720, "2024-11-29": 720, "2024-12-24": 720, "2025-07-04": 720}


def minutes(week: str) -> Iterator[int]:
    """Every minute of some weeks but each seventh, as if nothing had been traded then; ms UTC."""
    first, days = WEEKS[week]
    start = int(datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp() * 1000)
    return (start + number * 60_000 for number in range(days * 1440) if number % 7)


@cache
def history(week: str) -> list[ScaledBar]:
    return list(walk(minutes(week), seed=11))


@cache
def ours(symbol: str, week: str, target: Resolution) -> list[Row]:
    found = aggregate(history(week), MARKETS[symbol], Resolution.MINUTE_1, target)
    return [untrimmed(bar) for bar in found]


@pytest.mark.parametrize("week", list(WEEKS))
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_D02_polars_computes_the_same_bars_from_wall_clocks(symbol: str, week: str) -> None:
    frame = polars.DataFrame([untrimmed(bar) for bar in history(week)], schema=COLUMNS, orient="row")
    located = _by_wall_clock(frame, symbol)
    for target in TARGETS:
        assert ours(symbol, week, target) == _grouped_by_polars(located, target), target


def _by_wall_clock(frame: polars.DataFrame, symbol: str) -> polars.DataFrame:
    """Adds the trading day and the opening of each bar, and drops what is outside."""
    zone, ahead, opens, closes = {
        "AAPL": ("America/New_York", 0, 570, 960),
        "EURUSD": ("America/New_York", 420, 0, 1440),  # seven hours ahead, the day is the trading day
        "BTCUSD": ("UTC", 0, 0, 1440),
        "ES": ("America/Chicago", 420, 0, 1380),
    }[symbol]
    local = polars.from_epoch("time", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    clock = local.dt.replace_time_zone(None) + timedelta(minutes=ahead)
    minute = clock.dt.hour().cast(polars.Int64) * 60 + clock.dt.minute()
    day = clock.dt.date()
    closed = {"AAPL": STOCK_HOLIDAYS, "ES": FUTURES_HOLIDAYS}.get(symbol, [])
    early = {"AAPL": STOCK_HALF_DAYS, "ES": FUTURES_HALF_DAYS}.get(symbol, {})
    ends = polars.lit(closes)
    for date, end in early.items():
        ends = polars.when(day == polars.lit(date).str.to_date()).then(end + ahead).otherwise(ends)
    weekend = (day.dt.weekday() > 5) & (symbol != "BTCUSD")
    return frame.with_columns(
        day=day, after=minute - opens, inside=(minute >= opens) & (minute < ends) & ~weekend
    ).filter(polars.col("inside") & ~polars.col("day").cast(polars.String).is_in(closed))


def _grouped_by_polars(located: polars.DataFrame, target: Resolution) -> list[Row]:
    if target.minutes is not None:
        # No session of these symbols is open while the clock changes, but that of BTCUSD is by UTC.
        opening = polars.col("time") - polars.col("after") * 60_000
        key = opening + polars.col("after") // target.minutes * target.minutes * 60_000
    else:
        unit = {Resolution.DAY: "1d", Resolution.WEEK: "1w", Resolution.MONTH: "1mo"}[target]
        key = polars.col("day").dt.truncate(unit).cast(polars.Datetime("ms")).dt.epoch("ms")
    grouped = located.group_by(key.alias("at"), maintain_order=True).agg(
        polars.col("open").first(),
        polars.col("high").max(),
        polars.col("low").min(),
        polars.col("close").last(),
        polars.col("volume").sum(),
    )
    return grouped.rows()


@pytest.mark.parametrize("week", list(WEEKS))
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_D02_pandas_computes_the_same_bars_from_opens_and_closes(symbol: str, week: str) -> None:
    frame = pandas.DataFrame([untrimmed(bar) for bar in history(week)], columns=COLUMNS)
    merged = pandas.merge_asof(frame, _sessions(symbol), left_on="time", right_on="opens")
    inside = merged[merged["time"] < merged["closes"]]
    for target in TARGETS:
        assert ours(symbol, week, target) == _grouped_by_pandas(inside, target), target


@cache
def _sessions(symbol: str) -> pandas.DataFrame:
    """Opening, closing (ms UTC) and date of each session, from exchange_calendars or from clock times."""
    if symbol in {"AAPL", "ES"}:
        source = read_source("XNYS" if symbol == "AAPL" else "CMES")
        latest = 24 * 60 if symbol == "AAPL" else 16 * 60
        days = [(day.date, day.open, min(day.close, latest)) for day in source.days if 2023 < day.date.year < 2026]
        zone = source.zone
    else:
        dates = pandas.date_range("2024-01-01", "2025-12-31", freq="B" if symbol == "EURUSD" else "D")
        zone, opens, closes = ("America/New_York", -420, 1020) if symbol == "EURUSD" else ("UTC", 0, 1440)
        days = [(date, opens, closes) for date in dates]
    midnights = pandas.DatetimeIndex([date for date, _, _ in days])
    found = {"date": midnights}
    for name, at in (("opens", 1), ("closes", 2)):
        clock = midnights + pandas.to_timedelta([day[at] for day in days], unit="min")
        found[name] = _milliseconds(clock.tz_localize(zone).tz_convert("UTC").tz_localize(None))
    return pandas.DataFrame(found)


def _milliseconds(times: pandas.DatetimeIndex) -> pandas.Index:
    return (times - pandas.Timestamp(0)) // pandas.Timedelta(milliseconds=1)


def _grouped_by_pandas(inside: pandas.DataFrame, target: Resolution) -> list[Row]:
    if target.minutes is not None:
        step = target.minutes * 60_000
        key = inside["opens"] + (inside["time"] - inside["opens"]) // step * step
    else:
        period = {Resolution.DAY: "D", Resolution.WEEK: "W-SUN", Resolution.MONTH: "M"}[target]
        key = pandas.Series(
            _milliseconds(pandas.DatetimeIndex(inside["date"]).to_period(period).start_time), inside.index
        )
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    grouped = inside.groupby(key).agg(how)
    return [tuple(map(int, row)) for row in grouped.itertuples(name=None)]


def test_D02_the_weeks_hold_what_they_are_meant_to() -> None:
    """Else the comparisons above would prove little."""
    stock = [row[0] for row in ours("AAPL", "Thanksgiving", Resolution.MINUTE_30)]
    per_day = Counter(datetime.fromtimestamp(time / 1000, UTC).day for time in stock)
    assert per_day == {26: 13, 27: 13, 29: 7, 2: 13}
    futures = [row[0] for row in ours("ES", "Christmas", Resolution.MINUTE_60)]
    hours = Counter(datetime.fromtimestamp(time / 1000, UTC).day for time in futures)
    assert (hours[24], hours[25], hours[26]) == (18, 1, 23), "closed from noon to the next evening, in Chicago"
