"""When a symbol trades: its sessions as instants, by its session, its time zone and its exchange's calendar."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bar_time import EPOCH, to_ms
from trading_api.modules.datafeed.calendars import TradingCalendar, calendar
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.session import Session, parse_session

MINUTE_MS = 60_000
_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)
# The longest closure that a calendar knows is three weeks; a session on one weekday only may miss a few more.
_SEARCH_DAYS = 100
# The sessions of sixty years.
_REMEMBERED = 16_384


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
    """The sessions of a symbol. `zone` is that of the session's clock times; without a calendar there are no holidays.

    A session has no break: where an exchange closes at noon, no bars are there then.
    """

    session: Session
    zone: ZoneInfo
    calendar: TradingCalendar | None = None
    _windows: dict[date, SessionWindow | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, instrument: Instrument) -> Schedule:
        """Raises ValueError when the instrument's session, time zone or calendar cannot be used."""
        return _schedule(instrument.session, instrument.timezone, instrument.calendar)

    def known(self, day: date) -> bool:
        """Whether the calendar knows a date; the sessions of one that it does not follow the regular week."""
        return self.calendar is None or self.calendar.known(day)

    def window(self, day: date) -> SessionWindow | None:
        """The session of a trading date, or None when there is none."""
        try:
            return self._windows[day]
        except KeyError:
            return self._remember(day)

    def latest(self, time: int) -> SessionWindow:
        """The session that is open at `time` (ms UTC), or else the last one before it."""
        # An overnight session may have tomorrow's date.
        day = (EPOCH + time * _MS).astimezone(self.zone).date() + _DAY
        while (window := self._nearest(day, -_DAY)).start > time:
            day = window.day - _DAY
        return window

    def opening(self, time: int) -> int:
        """When the latest session opened (ms UTC)."""
        return self.latest(time).start

    def before(self, window: SessionWindow) -> SessionWindow:
        """The session before another."""
        return self._nearest(window.day - _DAY, -_DAY)

    def after(self, window: SessionWindow) -> SessionWindow:
        """The session after another."""
        return self._nearest(window.day + _DAY, _DAY)

    def _nearest(self, day: date, step: timedelta) -> SessionWindow:
        for _ in range(_SEARCH_DAYS):
            window = self.window(day)
            if window is not None:
                return window
            day += step
        raise LookupError(f"no session within {_SEARCH_DAYS} days of {day}")

    def _remember(self, day: date) -> SessionWindow | None:
        if len(self._windows) >= _REMEMBERED:
            self._windows.clear()
        window = self._windows[day] = self._window(day)
        return window

    def _window(self, day: date) -> SessionWindow | None:
        if not self._trades(day):
            return None
        start = _instant(day - _DAY if self.session.overnight else day, self.session.start, self.zone)
        end = _instant(day, self.session.end, self.zone)
        if self.calendar is not None:
            start, end = _on_unusual_day(self.calendar, day, start, end)
        # A clock change may leave nothing of a short session at night, an early close nothing of one in the afternoon.
        return SessionWindow(day, start, end) if start < end else None

    def _trades(self, day: date) -> bool:
        usual = day.weekday() in self.session.weekdays
        if self.calendar is None or not self.calendar.known(day):
            return usual
        return self.calendar.is_open(day) if usual else self.calendar.is_extra(day)


@lru_cache(maxsize=256)
def _schedule(session_text: str, timezone: str, code: str) -> Schedule:
    """Shared by all instruments that trade alike, and with it the sessions that it remembers."""
    session = parse_session(session_text)
    known = calendar(code) if code else None
    if known is not None and not session.weekdays & known.weekdays:
        raise ValueError(f"session {session_text!r} has no weekday on which {code} trades")
    return Schedule(session, ZoneInfo(timezone), known)


def _on_unusual_day(known: TradingCalendar, day: date, start: int, end: int) -> tuple[int, int]:
    """A late open begins a session later and an early close ends it earlier.

    An instrument that opens or closes with its exchange does so too on days with longer hours; another has its own.
    """
    hours = known.unusual_hours(day)
    if hours is None:
        return start, end
    opening, usual_opening = (_instant(day, minute, known.zone) for minute in (hours.open, known.regular.open))
    closing, usual_closing = (_instant(day, minute, known.zone) for minute in (hours.close, known.regular.close))
    if opening > usual_opening:
        start = max(start, opening)
    elif start == usual_opening:
        start = opening
    if closing < usual_closing:
        end = min(end, closing)
    elif end == usual_closing:
        end = closing
    return start, end


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """A clock time as ms UTC; of a repeated one the first, and a skipped one is read with the offset before it."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    return to_ms(local.astimezone(UTC)) // MINUTE_MS * MINUTE_MS
