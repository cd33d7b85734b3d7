"""One bar of history, and what must hold for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trading_api.modules.datafeed.decimals import Scaled, align, scaled_text


class ScaledBar(NamedTuple):
    """Prices and volume of one stretch of time, exact: integers with their number of decimals.

    `time` is its start in ms UTC (day, week and month: 00:00 UTC of the trading date). A price is `open /
    10**price_scale`, in the instrument's quote currency; `volume` likewise, in its units and possibly fractional.
    """

    time: int
    price_scale: int
    open: int
    high: int
    low: int
    close: int
    volume_scale: int
    volume: int

    def price_text(self, price: int) -> str:
        """One of the bar's prices as people write it."""
        return scaled_text(price, self.price_scale)

    def __str__(self) -> str:
        prices = map(self.price_text, (self.open, self.high, self.low, self.close))
        named = " ".join(f"{name} {text}" for name, text in zip(("open", "high", "low", "close"), prices, strict=True))
        return f"{named} volume {scaled_text(self.volume, self.volume_scale)}"


def make_bar(time: int, prices: Sequence[Scaled], volume: Scaled) -> ScaledBar:
    """`prices` are open, high, low, close. Equal numbers make equal bars, however they were written.

    Raises ValueError when the prices have no common scale within 18 digits.
    """
    scale, (first, high, low, last) = align(prices)
    return ScaledBar(time, scale, first, high, low, last, volume.scale, volume.coefficient)


def bar_problems(bar: ScaledBar) -> list[str]:
    """Everything wrong with the numbers of a bar; empty for a good one."""
    # All good bars, in one comparison: this runs for every row of an import.
    if 0 <= bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high and bar.volume >= 0:
        return []
    return [*_negative(bar), *_inconsistent(bar)]


def _negative(bar: ScaledBar) -> list[str]:
    named = (("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close))
    problems = [f"{name} {bar.price_text(price)} is negative" for name, price in named if price < 0]
    if bar.volume < 0:
        problems.append(f"volume {scaled_text(bar.volume, bar.volume_scale)} is negative")
    return problems


def _inconsistent(bar: ScaledBar) -> list[str]:
    low, high = bar.price_text(bar.low), bar.price_text(bar.high)
    if bar.high < bar.low:
        return [f"high {high} is below low {low}"]
    return [
        f"{name} {bar.price_text(price)} is outside low {low} to high {high}"
        for name, price in (("open", bar.open), ("close", bar.close))
        if not bar.low <= price <= bar.high
    ]
