"""Which stretch of which sessions a bar covers: aligned to the session's opening, days to the trading date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from trading_api.modules.datafeed.bar_time import period_start, to_ms
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule, SessionWindow
from trading_api.modules.datafeed.resolution import Resolution


@dataclass(frozen=True, slots=True)
class Part:
    """Minutes `first` <= minute < `last` of a session, counted from its opening."""

    window: SessionWindow
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class BarSpan:
    """What one bar covers. `time` is the bar's own (ms UTC; day, week, month: 00:00 UTC of the date)."""

    time: int
    parts: tuple[Part, ...]

    @property
    def start(self) -> int:
        """The first instant, ms UTC."""
        return self.parts[0].window.start + self.parts[0].first * MINUTE_MS

    @property
    def end(self) -> int:
        """The first instant after it, ms UTC."""
        return self.parts[-1].window.start + self.parts[-1].last * MINUTE_MS


def span_at(schedule: Schedule, resolution: Resolution, time: int) -> BarSpan:
    """The bar that is forming at `time` (ms UTC); while the market is closed, the last one before."""
    return _in_window(schedule, resolution, schedule.latest(time), time)


def span_of(schedule: Schedule, resolution: Resolution, time: int) -> BarSpan | None:
    """The bar that an instant (ms UTC) falls in; None outside every session."""
    window = schedule.latest(time)
    return _in_window(schedule, resolution, window, time) if time < window.end else None


def span_after(schedule: Schedule, resolution: Resolution, span: BarSpan) -> BarSpan:
    """The next bar, in this session or a later one."""
    newest = span.parts[-1]
    if newest.last < newest.window.minutes:
        return span_at(schedule, resolution, span.end)
    return span_at(schedule, resolution, schedule.after(newest.window).start)


def _in_window(schedule: Schedule, resolution: Resolution, window: SessionWindow, time: int) -> BarSpan:
    """After the window its last bar."""
    if resolution.minutes is None:
        return _dated(schedule, resolution, window.day)
    open_minute = min((time - window.start) // MINUTE_MS, window.minutes - 1)
    return _intraday(window, open_minute // resolution.minutes * resolution.minutes, resolution.minutes)


def _intraday(window: SessionWindow, first: int, minutes: int) -> BarSpan:
    """The last bar of a session ends with it."""
    part = Part(window, first, min(first + minutes, window.minutes))
    return BarSpan(window.start + first * MINUTE_MS, (part,))


def _dated(schedule: Schedule, resolution: Resolution, day: date) -> BarSpan:
    first = period_start(day, resolution)
    days = (first + timedelta(days=number) for number in range(_LONGEST[resolution]))
    windows = (schedule.window(each) for each in days if period_start(each, resolution) == first)
    parts = tuple(Part(window, 0, window.minutes) for window in windows if window is not None)
    return BarSpan(to_ms(datetime(first.year, first.month, first.day, tzinfo=UTC)), parts)


_LONGEST = {Resolution.DAY: 1, Resolution.WEEK: 7, Resolution.MONTH: 31}
