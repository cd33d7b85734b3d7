"""A quote: what a symbol trades at, exact."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices as integers, value = price / 10**price_scale in quote currency; volume likewise, in units.

    `time` (ms UTC) is that of the newest tick; open, high, low and volume are those of its trading day so far.
    bid <= last <= ask, and bid < ask; but of a pushed quote a bid or ask of 0 is none, and `last` is any.
    """

    time: int
    price_scale: int
    last: int
    bid: int
    ask: int
    open: int
    high: int
    low: int
    previous_close: int
    volume_scale: int
    volume: int
    pushed: bool = False
    """It was made elsewhere and may be old by now; the others are what their feed says of this very moment."""
