"""Open, high, low, close and volume in whole ticks and whole quantity steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Candle(NamedTuple):
    """Prices in ticks, volume in quantity steps; low <= open, close <= high."""

    open: int
    high: int
    low: int
    close: int
    volume: int


def fold(candles: Iterable[Candle]) -> Candle:
    """One candle of several that follow each other. Raises ValueError when there are none."""
    parts = list(candles)
    if not parts:
        raise ValueError("nothing was traded yet")
    opens, highs, lows, closes, volumes = zip(*parts, strict=True)
    return Candle(opens[0], max(highs), min(lows), closes[-1], sum(volumes))
