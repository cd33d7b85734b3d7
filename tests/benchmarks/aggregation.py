"""A year of minute bars to day bars, beside polars doing the same grouping; and what a calendar costs."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import polars
from benchmarks.result import Result, ratios
from support.datafeed_markets import MARKETS, PRICE_SCALE, VOLUME_SCALE, session_minutes, untrimmed, walk
from support.project import Project

from trading_api.modules.datafeed.bars.aggregation import BarColumns, aggregate, aggregate_columns
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.resolution import Resolution

_YEAR = date(2024, 1, 1)
_COLUMNS = ["day", "time", "open", "high", "low", "close", "volume"]
Row = tuple[int, ...]
# Run in an interpreter of its own: what a server pays for the first look at a calendar.
_READ = """
import time
from trading_api.modules.datafeed.calendars import calendar
from zoneinfo import ZoneInfo
ZoneInfo("America/New_York")
began = time.perf_counter()
calendar("XNYS")
print((time.perf_counter() - began) * 1000)
"""


def run(project: Project, runs: int) -> Iterator[Result]:
    """Both start from the same rows, as a store hands them out; and again from columns that are at hand."""
    for symbol, what in (("AAPL", "a stock"), ("BTCUSD", "24x7")):
        schedule = MARKETS[symbol]
        bars = [_with_fixed_scales(bar) for bar in walk(session_minutes(schedule, _YEAR, 366), seed=5)]
        yield from _compared(schedule, bars, what, runs)
    yield Result("reading a calendar", tuple(_reading(project, runs)), "ms", limit=2, note="XNYS, in a new process")


def _compared(schedule: Schedule, bars: list[ScaledBar], what: str, runs: int) -> Iterator[Result]:
    columns = BarColumns(*(list(column) for column in zip(*bars, strict=True)))
    days = [(schedule.latest(bar.time).day.toordinal(), *untrimmed(bar)) for bar in bars]
    frame = polars.DataFrame(days, schema=_COLUMNS, orient="row")
    expected = _grouped(frame)

    def by_rows() -> list[ScaledBar]:
        return list(aggregate(bars, schedule, Resolution.MINUTE_1, Resolution.DAY))

    def by_columns() -> list[ScaledBar]:
        return list(aggregate_columns(columns, schedule, Resolution.MINUTE_1, Resolution.DAY))

    assert [untrimmed(bar)[1:] for bar in by_rows()] == [row[1:] for row in expected], "both compute the same"
    assert by_columns() == by_rows()
    pairs = [(_ms(by_rows), _ms(lambda: _grouped(_frame(days)))) for _ in range(runs)]
    name = f"a year of minutes to days, {what}"
    yield Result(f"{name}: from rows", tuple(mine for mine, _ in pairs), "ms", note=f"{len(bars)} bars")
    yield Result(f"{name}: polars, from rows", tuple(other for _, other in pairs), "ms", note="trading days given")
    yield Result(f"{name}: ratio", ratios(*zip(*pairs, strict=True)), "x", limit=2, note="the smaller the better")
    pairs = [(_ms(by_columns), _ms(lambda: _grouped(frame))) for _ in range(runs)]
    yield Result(f"{name}: from columns", tuple(mine for mine, _ in pairs), "ms", note="lists of Python's integers")
    yield Result(f"{name}: polars, from columns", tuple(other for _, other in pairs), "ms", note="its own, in memory")
    yield Result(f"{name}: ratio of columns", ratios(*zip(*pairs, strict=True)), "x")


def _with_fixed_scales(bar: ScaledBar) -> ScaledBar:
    moment, first, high, low, last, volume = untrimmed(bar)
    return ScaledBar(moment, PRICE_SCALE, first, high, low, last, VOLUME_SCALE, volume)


def _frame(rows: Sequence[Row]) -> polars.DataFrame:
    return polars.DataFrame(rows, schema=_COLUMNS, orient="row")


def _grouped(frame: polars.DataFrame) -> list[Row]:
    grouped = frame.group_by("day", maintain_order=True).agg(
        polars.col("open").first(),
        polars.col("high").max(),
        polars.col("low").min(),
        polars.col("close").last(),
        polars.col("volume").sum(),
    )
    return grouped.rows()


def _reading(project: Project, runs: int) -> Iterator[float]:
    for _ in range(runs):
        argv = [sys.executable, "-P", "-c", _READ]
        yield float(
            subprocess.run(argv, env=project.env(), capture_output=True, text=True, check=True, timeout=60).stdout
        )


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
