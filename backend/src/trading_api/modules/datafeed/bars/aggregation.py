"""Coarser bars from finer ones, by the sessions of the symbol: a pure function, in whole numbers throughout.

Where a period ends is looked up once for each period, never for each bar; within it only builtins touch the bars.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

from trading_api.modules.datafeed.bar_time import EPOCH, ms_text, period_start
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.decimals import MAX_DIGITS
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule, SessionWindow
from trading_api.modules.datafeed.resolution import Resolution

DAY_MS = 86_400_000
_EPOCH_DAY = EPOCH.toordinal()
_LIMIT = 10**MAX_DIGITS
# Bars that are read ahead. Turning many more rows into columns at once is slower.
_CHUNK = 512
_LONGEST = {Resolution.WEEK: timedelta(days=7), Resolution.MONTH: timedelta(days=31)}


class BarColumns(NamedTuple):
    """Bars by column, ascending by time; the columns are those of `ScaledBar` and equally long."""

    time: Sequence[int]
    price_scale: Sequence[int]
    open: Sequence[int]
    high: Sequence[int]
    low: Sequence[int]
    close: Sequence[int]
    volume_scale: Sequence[int]
    volume: Sequence[int]


class Period(NamedTuple):
    """Bars with a time before `until` (ms UTC) make up the bar of `time`; None leaves them out."""

    time: int | None
    until: int


# From the time of a bar to the period that it belongs to.
Locate = Callable[[int], Period]


def finer_of(target: Resolution) -> tuple[Resolution, ...]:
    """The resolutions whose bars make up those of `target` exactly, coarsest first; none for one minute."""
    if target.minutes is None:
        days = target is Resolution.DAY
        return tuple(each for each in reversed(Resolution) if each.minutes) if days else (Resolution.DAY,)
    return tuple(
        each
        for each in reversed(Resolution)
        if each.minutes and each.minutes < target.minutes and target.minutes % each.minutes == 0
    )


def aggregate(
    bars: Iterable[ScaledBar], schedule: Schedule, source: Resolution, target: Resolution
) -> Iterator[ScaledBar]:
    """The bars of `target` from the ascending bars of `source`, ascending and lazily; `bars` themselves if equal.

    An intraday bar belongs to the session in which it begins, or else to one that opens before it ends; all others
    are left out. A day bar belongs to the week and the month of its date. Raises ValueError when `source` does not
    nest in `target`, and, while iterating, for a bar that needs more than 18 digits.
    """
    if source is target:
        return iter(bars)
    return _from_chunks(_chunks(bars), *_steps(schedule, source, target))


def aggregate_columns(
    columns: BarColumns, schedule: Schedule, source: Resolution, target: Resolution
) -> Iterator[ScaledBar]:
    """The same for bars that are at hand by column, and quicker. `target` must be coarser."""
    if source is target:
        raise ValueError(f"resolution {target} is not coarser than {source}")
    return _from_chunks(iter((columns,) if columns.time else ()), *_steps(schedule, source, target))


def _steps(schedule: Schedule, source: Resolution, target: Resolution) -> list[Locate]:
    """How to get there: weeks and months are made of days."""
    if source in finer_of(target):
        minutes = source.minutes
        return [_dated(target) if minutes is None else _in_sessions(schedule, minutes * MINUTE_MS, target.minutes)]
    if target in _LONGEST and source.minutes is not None:
        return [*_steps(schedule, source, Resolution.DAY), _dated(target)]
    raise ValueError(f"bars of {source} do not make up bars of {target}")


def _from_chunks(chunks: Iterator[BarColumns], first: Locate, *others: Locate) -> Iterator[ScaledBar]:
    bars = _merged(chunks, first)
    for locate in others:
        bars = _merged(_chunks(bars), locate)
    return bars


def _chunks(bars: Iterable[ScaledBar]) -> Iterator[BarColumns]:
    iterator = iter(bars)
    while chunk := list(islice(iterator, _CHUNK)):
        yield BarColumns(*zip(*chunk, strict=True))


def _merged(chunks: Iterator[BarColumns], locate: Locate) -> Iterator[ScaledBar]:
    """The last period of a chunk may go on in the next one: its bars are kept until then."""
    begun: tuple[int, BarColumns] | None = None
    for chunk in chunks:
        columns = chunk if begun is None else _joined(begun[1], chunk)
        times, aligned = columns.time, _aligned(columns)
        first, period = 0, locate(times[0])
        while (last := bisect_left(times, period.until, first)) < len(times):
            if period.time is not None:
                yield _bar(period.time, aligned, first, last)
            first, period = last, locate(times[last])
        begun = None if period.time is None else (period.time, _from(columns, first))
    if begun is not None:
        yield _bar(begun[0], _aligned(begun[1]), 0, len(begun[1].time))


def _joined(columns: BarColumns, others: BarColumns) -> BarColumns:
    return BarColumns(*([*former, *latter] for former, latter in zip(columns, others, strict=True)))


def _from(columns: BarColumns, first: int) -> BarColumns:
    return BarColumns(*(column[first:] for column in columns))


class _Aligned(NamedTuple):
    """Columns with one scale for all prices and one for all volumes."""

    price_scale: int
    open: Sequence[int]
    high: Sequence[int]
    low: Sequence[int]
    close: Sequence[int]
    volume_scale: int
    volume: Sequence[int]


def _aligned(columns: BarColumns) -> _Aligned:
    price_scale, prices = _odd(columns.price_scale)
    volume_scale, volumes = _odd(columns.volume_scale)
    return _Aligned(
        price_scale=price_scale,
        open=_scaled(columns.open, prices),
        high=_scaled(columns.high, prices),
        low=_scaled(columns.low, prices),
        close=_scaled(columns.close, prices),
        volume_scale=volume_scale,
        volume=_scaled(columns.volume, volumes),
    )


def _odd(scales: Sequence[int]) -> tuple[int, list[tuple[int, int]]]:
    """The largest scale, and for each row that has another: its number and the factor to it."""
    if scales.count(scales[0]) == len(scales):
        return scales[0], []
    largest = max(scales)
    return largest, [(row, 10 ** (largest - scale)) for row, scale in enumerate(scales) if scale != largest]


def _scaled(column: Sequence[int], odd: list[tuple[int, int]]) -> Sequence[int]:
    if not odd:
        return column
    values = list(column)
    for row, factor in odd:
        values[row] *= factor
    return values


def _bar(time: int, columns: _Aligned, first: int, last: int) -> ScaledBar:
    """One bar of rows `first` <= row < `last`, with no more decimals than it needs."""
    price_scale, begun, ended = columns.price_scale, columns.open[first], columns.close[last - 1]
    high, low = max(columns.high[first:last]), min(columns.low[first:last])
    while price_scale and not (begun % 10 or high % 10 or low % 10 or ended % 10):
        price_scale, begun, high, low, ended = price_scale - 1, begun // 10, high // 10, low // 10, ended // 10
    volume_scale, volume = columns.volume_scale, sum(columns.volume[first:last])
    while volume_scale and not volume % 10:
        volume_scale, volume = volume_scale - 1, volume // 10
    if volume >= _LIMIT:
        volume_scale, volume = _rounded(volume_scale, volume)
    if high >= _LIMIT or volume >= _LIMIT:
        raise ValueError(f"the bar of {ms_text(time)} cannot be kept exactly: more than {MAX_DIGITS} digits")
    return ScaledBar(time, price_scale, begun, high, low, ended, volume_scale, volume)


def _rounded(scale: int, volume: int) -> tuple[int, int]:
    """A sum of more than 18 digits with fewer decimals, half up: a volume may have 18 digits, a sum of volumes more."""
    while volume >= _LIMIT and scale:
        surplus = min(len(str(volume)) - MAX_DIGITS, scale)
        scale, volume = scale - surplus, (volume + 10**surplus // 2) // 10**surplus
    return scale, volume


def _in_sessions(schedule: Schedule, source_ms: int, minutes: int | None) -> Locate:
    """Periods of so many minutes from each opening, or whole sessions; the last of a session ends with it."""
    step = None if minutes is None else minutes * MINUTE_MS
    session: SessionWindow | None = None

    def locate(time: int) -> Period:
        nonlocal session
        if session is None or not session.start <= time < session.end:
            session = _session(schedule, time)
        start, end = session.start, session.end
        if time <= start - source_ms:
            return Period(None, start - source_ms + 1)
        if step is None:
            return Period(_midnight(session.day), end)
        begun = start + max(0, time - start) // step * step
        return Period(begun, min(begun + step, end))

    return locate


def _session(schedule: Schedule, time: int) -> SessionWindow:
    """The session that is open, or else the next one."""
    latest = schedule.latest(time)
    return latest if time < latest.end else schedule.after(latest)


def _dated(target: Resolution) -> Locate:
    def locate(time: int) -> Period:
        day = (EPOCH + timedelta(milliseconds=time)).date()
        first = period_start(day, target)
        return Period(_midnight(first), _midnight(period_start(first + _LONGEST[target], target)))

    return locate


def _midnight(day: date) -> int:
    return (day.toordinal() - _EPOCH_DAY) * DAY_MS
