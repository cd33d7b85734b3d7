"""What is known of the trading days of an exchange."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Hours(NamedTuple):
    """Opening and closing of a trading day: minutes after midnight of its date; an evening before is negative."""

    open: int
    close: int


class Stretch(NamedTuple):
    """All trading days from `first` to `last` (day numbers of `date.toordinal`) had these hours."""

    first: int
    last: int
    hours: Hours


@dataclass(frozen=True, slots=True, eq=False)
class TradingCalendar:
    """The trading days of an exchange from `first` to `last`; before and after nothing is known.

    `regular` and `weekdays` (0 is Monday) are those of its newest days. `closed` are dates without trading on such
    weekdays, `extra` trading days on others; both, and the ascending `unusual`, in day numbers of `date.toordinal`.
    `zone` is that of all hours. They reach from the first opening to the last closing: a break at noon is left out.
    """

    code: str
    zone: ZoneInfo
    first: date
    last: date
    regular: Hours
    weekdays: frozenset[int]
    closed: frozenset[int]
    extra: frozenset[int]
    unusual: Sequence[Stretch]

    def known(self, day: date) -> bool:
        """Whether the calendar says anything about a date."""
        return self.first <= day <= self.last

    def is_open(self, day: date) -> bool:
        """Whether there is trading on a date; an unknown one is taken for a regular week's."""
        number = day.toordinal()
        return number in self.extra or (day.weekday() in self.weekdays and number not in self.closed)

    def is_extra(self, day: date) -> bool:
        """Whether there is trading although the regular week has none on that weekday."""
        return day.toordinal() in self.extra

    def hours(self, day: date) -> Hours | None:
        """The hours of a date, or None when there is no trading."""
        return (self.unusual_hours(day) or self.regular) if self.is_open(day) else None

    def unusual_hours(self, day: date) -> Hours | None:
        """The hours of a trading day if they are not the regular ones: a half day, or times before a reform."""
        number = day.toordinal()
        at = bisect_right(self.unusual, number, key=_first) - 1
        return self.unusual[at].hours if at >= 0 and number <= self.unusual[at].last else None


def _first(stretch: Stretch) -> int:
    return stretch.first
