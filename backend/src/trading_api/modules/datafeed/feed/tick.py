"""A pushed quote, exact."""

from __future__ import annotations

from typing import NamedTuple


class Tick(NamedTuple):
    """What a symbol traded at from `time` (ms UTC) on.

    Prices are integers, value = price / 10**price_scale in quote currency; `volume` likewise: units traded at `last`.
    A bid or ask of 0 is none. A stored tick without a `last` (0) belongs to no bar, and leaves the last price as it is.
    """

    symbol: str
    time: int
    price_scale: int
    bid: int
    ask: int
    last: int
    volume_scale: int
    volume: int


class StoredTick(NamedTuple):
    """A tick with its number, which counts all ticks of all symbols in the order in which they were stored."""

    seq: int
    tick: Tick
