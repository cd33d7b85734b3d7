"""The resolutions of a series of bars, in TradingView's spelling."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Resolution(StrEnum):
    """How much time one bar covers: minutes as a bare number, then day, week and month. Declared finest first."""

    MINUTE_1 = "1"
    MINUTE_3 = "3"
    MINUTE_5 = "5"
    MINUTE_15 = "15"
    MINUTE_30 = "30"
    MINUTE_60 = "60"
    MINUTE_120 = "120"
    MINUTE_240 = "240"
    DAY = "1D"
    WEEK = "1W"
    MONTH = "1M"

    @property
    def minutes(self) -> int | None:
        """Length in minutes, or None for day, week and month, which are counted in dates."""
        return int(self) if self.isdigit() else None


ALIASES = {
    "D": Resolution.DAY,
    "W": Resolution.WEEK,
    "M": Resolution.MONTH,
    "1H": Resolution.MINUTE_60,
    "2H": Resolution.MINUTE_120,
    "4H": Resolution.MINUTE_240,
}


def parse_resolution(text: str) -> Resolution:
    """Read a resolution or one of its aliases; case matters, because `1m` means a minute to some and a month to others.

    Raises ValueError with the list of known ones.
    """
    cleaned = text.strip()
    if cleaned in ALIASES:
        return ALIASES[cleaned]
    try:
        return Resolution(cleaned)
    except ValueError:
        known = ", ".join(Resolution)
        raise ValueError(f"unknown resolution {text!r}: use one of {known} (a bare number is minutes)") from None


def in_order(resolutions: Iterable[Resolution]) -> tuple[Resolution, ...]:
    """Each once, finest first."""
    present = frozenset(resolutions)
    return tuple(resolution for resolution in Resolution if resolution in present)
