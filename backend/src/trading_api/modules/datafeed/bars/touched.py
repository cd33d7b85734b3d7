"""How far a change of bars reaches: the whole sessions around it, and the dates of those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from trading_api.modules.datafeed.bar_time import EPOCH, period_start, to_ms
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule
from trading_api.modules.datafeed.resolution import Resolution

# A computed bar hides imported ones that overlap it, which may be those of the session next to it.
_REACH = max(resolution.minutes or 0 for resolution in Resolution) * MINUTE_MS
_DAY = timedelta(days=1)
# The first of a month plus this many days is a day of the month after.
_INTO_NEXT = {Resolution.DAY: 1, Resolution.WEEK: 7, Resolution.MONTH: 31}


@dataclass(frozen=True, slots=True)
class Touched:
    """Bars to compute again: intraday ones with `start` <= time < `end` (ms UTC), and the dates `first` <= d < `after`.

    Both ends are openings of sessions; those of dates alone have no instants.
    """

    start: int
    end: int
    first: date
    after: date

    @classmethod
    def by_intraday(cls, schedule: Schedule, oldest: int, newest: int) -> Touched:
        """Through intraday bars with these times (ms UTC) and any between them."""
        first, after = schedule.latest(oldest - _REACH), schedule.after(schedule.latest(newest + _REACH))
        return cls(first.start, after.start, first.day, after.day)

    @classmethod
    def by_dates(cls, oldest: int, newest: int) -> Touched:
        """Through day bars with these times (ms UTC) and any between them."""
        return cls(0, 0, _date(oldest), _date(newest) + _DAY)

    def bounds(self, resolution: Resolution) -> tuple[int, int]:
        """From the time of its first bar at `resolution` up to the first time after them (ms UTC)."""
        if resolution.minutes is not None:
            return self.start, self.end
        last = period_start(self.after - _DAY, resolution)
        after = period_start(last + _INTO_NEXT[resolution] * _DAY, resolution)
        return _midnight(period_start(self.first, resolution)), _midnight(after)

    def parts(self, schedule: Schedule, length: int) -> Iterator[Touched]:
        """The same in parts of whole sessions, each about `length` ms long or of one session."""
        start, first = self.start, self.first
        while start < self.end:
            after = schedule.after(schedule.latest(start + length))
            end, after_day = min((self.end, self.after), (after.start, after.day))
            yield Touched(start, end, first, after_day)
            start, first = end, after_day


def _date(time: int) -> date:
    return (EPOCH + timedelta(milliseconds=time)).date()


def _midnight(day: date) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))
