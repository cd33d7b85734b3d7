"""When a symbol trades: its sessions as instants. Holidays are not known yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bar_time import EPOCH, to_ms
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.session import Session, parse_session

MINUTE_MS = 60_000
_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)
# A session takes place at least once a week; the second week is for one that a clock change swallows.
_SEARCH_DAYS = 15


@dataclass(frozen=True, slots=True)
class SessionWindow:
    """One trading day of a symbol: open for `start` <= time < `end` (ms UTC), always whole minutes."""

    day: date
    start: int
    end: int

    @property
    def minutes(self) -> int:
        """Its length."""
        return (self.end - self.start) // MINUTE_MS


@dataclass(frozen=True, slots=True)
class Schedule:
    """The sessions of a symbol. `zone` is that of the session's clock times."""

    session: Session
    zone: ZoneInfo

    @classmethod
    def of(cls, instrument: Instrument) -> Schedule:
        """Raises ValueError when the instrument's session or time zone cannot be read."""
        return cls(parse_session(instrument.session), ZoneInfo(instrument.timezone))

    def window(self, day: date) -> SessionWindow | None:
        """The session of a trading date, or None when there is none."""
        return _window(self.session, self.zone, day)

    def latest(self, time: int) -> SessionWindow:
        """The session that is open at `time` (ms UTC), or else the last one before it."""
        # An overnight session may have tomorrow's date.
        today = (EPOCH + time * _MS).astimezone(self.zone).date()
        return next(window for window in self._days(today + _DAY, -_DAY) if window.start <= time)

    def before(self, window: SessionWindow) -> SessionWindow:
        """The session before another."""
        return next(self._days(window.day - _DAY, -_DAY))

    def after(self, window: SessionWindow) -> SessionWindow:
        """The session after another."""
        return next(self._days(window.day + _DAY, _DAY))

    def _days(self, first: date, step: timedelta) -> Iterator[SessionWindow]:
        windows = (self.window(first + number * step) for number in range(_SEARCH_DAYS))
        return (window for window in windows if window is not None)


@lru_cache(maxsize=4096)
def _window(session: Session, zone: ZoneInfo, day: date) -> SessionWindow | None:
    if day.weekday() not in session.weekdays:
        return None
    start = _instant(day - _DAY if session.overnight else day, session.start, zone)
    end = _instant(day, session.end, zone)
    # A clock change may leave nothing of a short session at night.
    return SessionWindow(day, start, end) if start < end else None


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """A clock time as ms UTC; of a repeated one the first, and a skipped one is read with the offset before it."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    return to_ms(local.astimezone(UTC)) // MINUTE_MS * MINUTE_MS
