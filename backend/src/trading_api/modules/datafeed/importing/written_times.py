"""What must hold between the written times of one file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trading_api.modules.datafeed.bar_time import MS_THRESHOLD, ms_text, parse_time
from trading_api.modules.datafeed.resolution import Resolution

_EPOCH = re.compile(r"-?(\d+)(\.\d+)?", re.ASCII)
_BASIC_DATE_DIGITS = 8


@dataclass(slots=True)
class WrittenTimes:
    """Compares every row's written time with those before it; all of them have been read as bar times already.

    Memory stays small: only day, week and month bars are kept, and the calendar has less than 150000 of them.
    """

    resolution: Resolution
    _unit: tuple[str, int] | None = None
    """The unit of the first epoch, and its line."""
    _first: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Bar time → line and written time of its first row."""

    def check(self, line: int, text: str, bar_time: int) -> None:
        """Raises ValueError for an epoch in another unit than before, or another time within the same bar."""
        self._check_unit(line, text)
        if self.resolution.minutes is None:
            self._check_bar(line, text, bar_time)

    def _check_unit(self, line: int, text: str) -> None:
        unit = epoch_unit(text)
        if unit is None:
            return
        if self._unit is None:
            self._unit = (unit, line)
        expected, first_line = self._unit
        if unit != expected:
            raise ValueError(f"time {text} is in {unit}, but line {first_line} is in {expected}; use one unit")

    def _check_bar(self, line: int, text: str, bar_time: int) -> None:
        first_line, first_text = self._first.setdefault(bar_time, (line, text))
        if text == first_text:
            return
        kind = "intraday bars" if self._intraday(first_text, text) else f"bars finer than {self.resolution}"
        raise ValueError(
            f"a second row for the bar of {ms_text(bar_time)}; these look like {kind}"
            f" (line {first_line} says {first_text}, this one {text})"
        )

    def _intraday(self, first: str, second: str) -> bool:
        return self.resolution is Resolution.DAY or parse_time(first).date() == parse_time(second).date()


def epoch_unit(text: str) -> str | None:
    """`seconds` or `milliseconds` of a readable time; None for a date, and for 0, which is the same in both."""
    match = _EPOCH.fullmatch(text)
    if match is None or not (value := int(match[1])):
        return None
    # 20240102 is a date; only those are read without a time zone.
    if len(match[1]) == _BASIC_DATE_DIGITS and parse_time(text).tzinfo is None:
        return None
    return "milliseconds" if value >= MS_THRESHOLD else "seconds"
