"""The history of a simulated symbol: the same function as its quotes, read over whole sessions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby, islice

from trading_api.modules.datafeed.bar_time import EPOCH, period_start, to_ms
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, SessionWindow
from trading_api.modules.datafeed.feed.simulated_market import SimulatedMarket
from trading_api.modules.datafeed.resolution import Resolution

FIRST_DAY = date(2015, 1, 1)
"""No simulated bar has an earlier trading date, though a week or month bar that began before it may bear one."""
_FIRST_MS = to_ms(EPOCH.replace(year=FIRST_DAY.year))
_DAY_MS = 86_400_000
_LONGEST = {Resolution.DAY: 2, Resolution.WEEK: 9, Resolution.MONTH: 33}


class SimulatedSeries:
    """The bars of one resolution up to `now` (ms UTC); the one that is forming then is the last. A SeriesReader."""

    def __init__(self, market: SimulatedMarket, resolution: Resolution, now: int) -> None:
        self._market = market
        self._schedule = market.schedule
        self._resolution = resolution
        self._now = now

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        """The newest `limit` bars with time < end, ascending."""
        windows, start = self._back(end, limit)
        bars = self._bars(reversed(windows), start)
        return [bar for bar in bars if end is None or bar.time < end][-limit:]

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        """The oldest `limit` bars with start <= time < end, ascending."""
        bars = self._bars(self._forward(start, end), start)
        wanted = (bar for bar in bars if start <= bar.time and (end is None or bar.time < end))
        return list(islice(wanted, limit))

    def _forward(self, start: int, end: int | None) -> Iterator[SessionWindow]:
        """Sessions in order, from the first that may matter."""
        if start > self._now:
            return
        window = self._first(self._schedule.latest(max(start, _FIRST_MS)))
        until = self._until(end)
        while window.start <= until:
            yield window
            window = self._schedule.after(window)

    def _until(self, end: int | None) -> int:
        """When the last session opens that may matter for bars before `end`.

        A dated bar bears 00:00 UTC of its first date, whose session may open a day later, and it has all its sessions.
        """
        return self._now if end is None else min(self._now, end + _LONGEST.get(self._resolution, 0) * _DAY_MS)

    def _first(self, window: SessionWindow) -> SessionWindow:
        """The first session of the period that holds a session, but none before the first day."""
        beginning = max(period_start(window.day, self._resolution), FIRST_DAY)
        while window.day > beginning and (before := self._schedule.before(window)).day >= beginning:
            window = before
        return window if window.day >= FIRST_DAY else self._schedule.after(window)

    def _back(self, end: int | None, limit: int) -> tuple[list[SessionWindow], int | None]:
        """Sessions, newest first, enough of them for `limit` bars before `end`; and when the oldest of these begins.

        That time (ms UTC) is told where it spares something: of a session that has more bars than are wanted.
        """
        until = self._until(end)
        if until < _FIRST_MS:
            return [], None
        found, periods, left = list[SessionWindow](), set[date](), limit
        window = self._schedule.latest(until)
        while window.day >= FIRST_DAY and left > 0:
            found.append(window)
            left -= self._count(window, end, periods)
            window = self._schedule.before(window)
        minutes = self._resolution.minutes
        spared = found[-1].start - left * minutes * MINUTE_MS if found and minutes and left < 0 else None
        return found, spared

    def _count(self, window: SessionWindow, end: int | None, periods: set[date]) -> int:
        """How many bars a session adds, going back from `end`; one of a new period counts when it is left again."""
        if self._resolution.minutes:
            over = min(self._now, window.end, window.end if end is None else end)
            return max(0, -((window.start - over) // (self._resolution.minutes * MINUTE_MS)))
        period = period_start(window.day, self._resolution)
        if period in periods or (end is not None and _midnight(period) >= end):
            return 0
        periods.add(period)
        # Its other sessions are still to come, so it counts with the first session of the period before it.
        return 1 if len(periods) > 1 else 0

    def _bars(self, windows: Iterator[SessionWindow], start: int | None) -> Iterator[ScaledBar]:
        if self._resolution.minutes:
            return self._intraday(windows, self._resolution.minutes, start)
        return self._dated(windows)

    def _intraday(self, windows: Iterator[SessionWindow], step: int, start: int | None) -> Iterator[ScaledBar]:
        for window in windows:
            first = 0 if start is None else max(0, (start - window.start) // MINUTE_MS)
            if first < window.minutes:
                yield from self._market.intraday(window, step, first, self._now)

    def _dated(self, windows: Iterator[SessionWindow]) -> Iterator[ScaledBar]:
        for period, sessions in groupby(windows, lambda window: period_start(window.day, self._resolution)):
            yield self._market.dated(_midnight(period), list(sessions), self._now)


def _midnight(day: date) -> int:
    return (day.toordinal() - EPOCH.toordinal()) * _DAY_MS
