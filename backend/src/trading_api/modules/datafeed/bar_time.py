"""From the time written in a file to the time of a bar (ms UTC)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.session import Session

# At this size a number is milliseconds: as seconds it would lie in the year 5138.
MS_THRESHOLD = 100_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIDNIGHT = time()
EARLIEST = datetime(1800, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_MAX_TEXT = 40
_MS = timedelta(milliseconds=1)
_MINUTE_MS = 60_000
_NUMBER = re.compile(r"-?\d{1,16}(\.\d{1,6})?", re.ASCII)
_BASIC_DATE = re.compile(r"(1[89]|20|21)\d{6}", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{2})[./](\d{2})(?=$|[ T])", re.ASCII)


@dataclass(frozen=True, slots=True)
class BarClock:
    """What turns a written time into a bar time.

    `zone` is the time zone of times without an offset, and of the dates of day bars that were written as instants;
    `session` and `session_zone` are the instrument's. `opening` gives the opening (ms UTC) of the session that is open
    at a time, or else of the last one before, by the instrument's calendar: on some days it is a late one.
    """

    resolution: Resolution
    zone: ZoneInfo
    session: Session
    session_zone: ZoneInfo
    opening: Callable[[int], int] | None = None

    def bar_time(self, text: str) -> int:
        """The bar time in ms UTC of an ISO date, ISO datetime or epoch (s or ms).

        Raises ValueError saying what is wrong with the time.
        """
        moment = parse_time(text)
        if self.resolution.minutes is None:
            return to_ms(_midnight(period_start(self._trading_date(moment), self.resolution)))
        instant = moment.astimezone(UTC) if moment.tzinfo else local_to_utc(moment, self.zone)
        if not self._on_grid(instant, self.resolution.minutes):
            raise ValueError(f"time {text} is off the grid of resolution {self.resolution}")
        return to_ms(instant)

    def _trading_date(self, moment: datetime) -> date:
        """The date as written; an instant in the evening of an overnight session counts for the day after.

        Midnight in UTC is a date, whatever the zone: so `/bars` and many vendors stamp days.
        """
        if moment.tzinfo and (at_utc := moment.astimezone(UTC)).time() == MIDNIGHT:
            return at_utc.date()
        local = moment.astimezone(self.zone) if moment.tzinfo else moment
        if not self.session.overnight or (local.hour, local.minute) == (0, 0):
            return local.date()
        instant = moment if moment.tzinfo else local_to_utc(moment, self.zone)
        exchange_time = instant.astimezone(self.session_zone)
        evening = exchange_time.hour * 60 + exchange_time.minute >= self.session.start
        return exchange_time.date() + timedelta(days=1 if evening else 0)

    def _on_grid(self, instant: datetime, step: int) -> bool:
        """Whole steps from the session's opening, or from midnight there or in UTC: vendors use all three.

        A late opening counts beside the regular one.
        """
        if instant.second or instant.microsecond:
            return False
        if (instant.hour * 60 + instant.minute) % step == 0:
            return True
        exchange_time = instant.astimezone(self.session_zone)
        local_minute = exchange_time.hour * 60 + exchange_time.minute
        if local_minute % step == 0 or (local_minute - self.session.start) % step == 0:
            return True
        return self.opening is not None and (to_ms(instant) - self.opening(to_ms(instant))) % (step * _MINUTE_MS) == 0


def parse_time(text: str) -> datetime:
    """Read ISO 8601 (year first; `/` and `.` in the date too) or an epoch; naive when no offset was written.

    Eight digits that read as a date are one (20240102). Raises ValueError otherwise.
    """
    if len(text) > _MAX_TEXT:
        raise ValueError(f"time {text[:_MAX_TEXT]!r}… is too long")
    moment = _from_epoch(text) if _is_epoch(text) else _from_iso(text)
    comparable = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # Compared before any conversion: near the ends of the calendar one would overflow.
    if not EARLIEST.year < comparable.year < LATEST.year:
        raise ValueError(f"time {text} is in the year {comparable.year}: expected 1801 to 2199")
    return moment


def epoch_ms(value: int) -> int:
    """An epoch in seconds or, from 1e11 on, in ms → ms (trading.md)."""
    return value if abs(value) >= MS_THRESHOLD else value * 1000


def to_ms(moment: datetime) -> int:
    """An aware datetime → ms since the epoch, in integers throughout."""
    return (moment - EPOCH) // _MS


def ms_text(time_ms: int) -> str:
    """ms UTC as people read it: `2024-01-02`, or with hours when it is not midnight."""
    moment = EPOCH + timedelta(milliseconds=time_ms)
    return moment.strftime("%Y-%m-%d" if time_ms % 86_400_000 == 0 else "%Y-%m-%d %H:%M:%SZ")


def local_to_utc(naive: datetime, zone: ZoneInfo) -> datetime:
    """Raises ValueError for a time that a clock change skips or repeats."""
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    instant = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return instant
    if instant.astimezone(zone).replace(tzinfo=None) != naive:
        raise ValueError(f"time {naive} does not exist in {zone.key}: the clock jumps over it; write the UTC offset")
    raise ValueError(f"time {naive} happens twice in {zone.key}: the clock is set back; write the UTC offset")


def period_start(day: date, resolution: Resolution) -> date:
    """The date that a day, week (Monday) or month (first) bar is stored under."""
    if resolution is Resolution.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if resolution is Resolution.MONTH else day


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _is_epoch(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and _BASIC_DATE.fullmatch(text) is None


def _from_epoch(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    unit = timedelta(milliseconds=1) if abs(int(whole)) >= MS_THRESHOLD else timedelta(seconds=1)
    try:
        moment = EPOCH + int(whole) * unit
    except OverflowError:
        raise ValueError(f"time {text} is not within the calendar") from None
    if not fraction.strip("0"):
        return moment
    part = unit * int(fraction.ljust(6, "0")) / 1_000_000
    return moment - part if whole.startswith("-") else moment + part


def _from_iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(_YEAR_FIRST.sub(r"\1-\2-\3", text))
    except ValueError:
        raise ValueError(f"time {text!r} is not an ISO date, ISO datetime or epoch, such as 2024-01-31 09:30") from None
