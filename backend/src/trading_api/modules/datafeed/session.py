"""Trading sessions in TradingView's notation: opening, closing and weekdays."""

from __future__ import annotations

import re
from dataclasses import dataclass

EVERY_DAY = frozenset(range(7))
MONDAY_TO_FRIDAY = frozenset(range(5))
ALWAYS_OPEN = "24x7"
_PATTERN = re.compile(r"([01]\d|2[0-3])([0-5]\d)-([01]\d|2[0-4])([0-5]\d)(:[1-7]{1,7})?")


@dataclass(frozen=True, slots=True)
class Session:
    """Opening and closing, minutes after local midnight; `start >= end` is a session that opens the evening before.

    `weekdays` are those of the trading dates, 0 is Monday; an overnight session has the date on which it closes.
    """

    start: int
    end: int
    weekdays: frozenset[int] = MONDAY_TO_FRIDAY

    @property
    def overnight(self) -> bool:
        """Whether the trading day begins on the calendar day before its date (`1700-1700` does)."""
        return self.start >= self.end


def parse_session(text: str) -> Session:
    """Read `24x7` or `HHMM-HHMM`, with weekdays after a colon allowed (`0930-1600:23456`).

    Raises ValueError for anything else.
    """
    if text == ALWAYS_OPEN:
        return Session(start=0, end=24 * 60, weekdays=EVERY_DAY)
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"session {text!r} is neither 24x7 nor HHMM-HHMM, such as 0930-1600")
    hours_minutes = [int(part) for part in match.groups()[:4]]
    start, end = (hours * 60 + minutes for hours, minutes in (hours_minutes[:2], hours_minutes[2:]))
    return Session(start=start, end=end, weekdays=_weekdays(match[5]))


def _weekdays(written: str | None) -> frozenset[int]:
    """TradingView counts from Sunday, 1 to 7; Python from Monday, 0 to 6."""
    return frozenset((int(digit) + 5) % 7 for digit in written[1:]) if written else MONDAY_TO_FRIDAY
