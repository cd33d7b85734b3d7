"""Rows at times that look like a mistake but need not be one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from trading_api.modules.datafeed.bar_time import ms_text
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

# In the east of the world a trading date begins as long before its midnight UTC.
_EASTERNMOST_MS = 14 * 3_600_000


@dataclass(slots=True)
class SessionCheck:
    """Counts rows outside the sessions, on dates that the calendar does not know, and later than `now` (ms UTC)."""

    instrument: Instrument
    schedule: Schedule
    resolution: Resolution
    now: int
    outside: int = 0
    unknown: int = 0
    future: int = 0
    _first_outside: int | None = None

    def note(self, times: Sequence[int]) -> None:
        """Take over the bar times of some rows, ms UTC."""
        ordered = sorted(times)
        self.future += len(ordered) - bisect_right(ordered, self._latest_begun())
        if self.resolution.minutes is None:
            self._note_dates(ordered)
        else:
            self._note_instants(ordered)

    def warnings(self) -> Iterator[str]:
        instrument = self.instrument
        session = f"the session {instrument.session} {instrument.timezone}"
        if instrument.calendar:
            session += f" of calendar {instrument.calendar}"
        if self.outside and self._first_outside is not None:
            first = f"the first: {ms_text(self._first_outside)}"
            if self.resolution.minutes is None:
                yield f"{_rows(self.outside)} on dates without {session} ({first})"
            else:
                yield (
                    f"{_rows(self.outside)} outside {session} ({first});"
                    " they are stored and served at their own resolution, but not aggregated"
                )
        if self.unknown:
            dates = f"dates that calendar {instrument.calendar} does not know"
            yield f"{_rows(self.unknown)} on {dates}; the regular week holds there"
        if self.future:
            yield f"{_rows(self.future)} in the future"

    def _latest_begun(self) -> int:
        return self.now if self.resolution.minutes else self.now + _EASTERNMOST_MS

    def _note_dates(self, ordered: Sequence[int]) -> None:
        """Only of day bars each has a session of its own."""
        for time in ordered:
            day = datetime.fromtimestamp(time / 1000, UTC).date()
            if self.resolution is Resolution.DAY and self.schedule.window(day) is None:
                self._note_outside(time, 1)
            self._note_day(day, 1)

    def _note_instants(self, ordered: Sequence[int]) -> None:
        """Session by session, not row by row."""
        at = 0
        while at < len(ordered):
            window = self.schedule.latest(ordered[at])
            if ordered[at] < window.end:
                end = bisect_left(ordered, window.end, at)
            else:
                end = bisect_left(ordered, self.schedule.after(window).start, at)
                self._note_outside(ordered[at], end - at)
            self._note_day(window.day, end - at)
            at = end

    def _note_outside(self, first: int, count: int) -> None:
        self.outside += count
        self._first_outside = first if self._first_outside is None else min(first, self._first_outside)

    def _note_day(self, day: date, count: int) -> None:
        if not self.schedule.known(day) and _has_holidays(self.schedule):
            self.unknown += count


def _has_holidays(schedule: Schedule) -> bool:
    """`24/7` has none to be missed."""
    known = schedule.calendar
    return known is not None and bool(known.closed or known.extra or known.unusual)


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"
