"""Trading sessions in TradingView's notation, as far as bars need them: where the trading day starts."""

from __future__ import annotations

import re
from dataclasses import dataclass

ALWAYS_OPEN = "24x7"
_PATTERN = re.compile(r"([01]\d|2[0-3])([0-5]\d)-([01]\d|2[0-4])([0-5]\d)(:[1-7]{1,7})?")


@dataclass(frozen=True, slots=True)
class Session:
    """Opening and closing, minutes after local midnight; `start >= end` is a session that opens the evening before."""

    start: int
    end: int

    @property
    def overnight(self) -> bool:
        """Whether the trading day begins on the calendar day before its date (`1700-1700` does)."""
        return self.start >= self.end


def parse_session(text: str) -> Session:
    """Read `24x7` or `HHMM-HHMM`, with weekdays after a colon allowed (`0930-1600:23456`).

    Raises ValueError for anything else.
    """
    if text == ALWAYS_OPEN:
        return Session(start=0, end=24 * 60)
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"session {text!r} is neither 24x7 nor HHMM-HHMM, such as 0930-1600")
    hours_minutes = [int(part) for part in match.groups()[:4]]
    return Session(start=hours_minutes[0] * 60 + hours_minutes[1], end=hours_minutes[2] * 60 + hours_minutes[3])
