"""The history of a symbol that is stored but not replayed: the bars that are over at the virtual now."""

from __future__ import annotations

from datetime import timedelta

from trading_api.modules.datafeed.bar_time import EPOCH, period_start
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import SeriesReader
from trading_api.modules.datafeed.feed.day_bars import midnight
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule
from trading_api.modules.datafeed.feed.spans import span_at
from trading_api.modules.datafeed.resolution import Resolution

# A date ends last of all in the zone that is farthest behind UTC.
_LAST_MIDNIGHT = timedelta(hours=12)


class FinishedSeries:
    """A SeriesReader of the stored bars with a time before `until`, ms UTC."""

    def __init__(self, stored: SeriesReader, until: int) -> None:
        self._stored = stored
        self._until = until

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        """The newest `limit` bars with time < end, ascending."""
        return self._stored.newest(end=self._bounded(end), limit=limit)

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        """The oldest `limit` bars with start <= time < end, ascending."""
        bound = self._bounded(end)
        return self._stored.between(start=start, end=bound, limit=limit) if start < bound else []

    def _bounded(self, end: int | None) -> int:
        return self._until if end is None else min(end, self._until)


def finished_until(schedule: Schedule | None, resolution: Resolution, now: int) -> int:
    """Bars with a time before this are over at `now`; both ms UTC. None: nobody knows when the symbol trades."""
    if resolution.minutes is not None:
        whole = now - resolution.minutes * MINUTE_MS + 1
        return whole if schedule is None else max(whole, _last_close(schedule, now))
    if schedule is None:
        return midnight(period_start((EPOCH + timedelta(milliseconds=now) - _LAST_MIDNIGHT).date(), resolution))
    span = span_at(schedule, resolution, now)
    return span.time + 1 if span.end <= now else span.time


def _last_close(schedule: Schedule, now: int) -> int:
    """When the last session ended, and with it its last bar, however short."""
    window = schedule.latest(now)
    return window.end if window.end <= now else schedule.before(window).end
