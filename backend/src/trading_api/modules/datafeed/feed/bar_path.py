"""How the price runs within a replayed bar: open, then low and high (high first in a falling bar), then close.

It takes the same time from one to the next, in straight lines, on tick; volume grows evenly. So a bar that is
formed from it is at its end exactly the one that is stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from trading_api.modules.datafeed.feed.candle import Candle

TICK_MS = 1000
Stretch = tuple[int, int]


class BarPath:
    """The ticks of one bar, one a second of the time in which it is traded."""

    def __init__(self, bar: Candle, stretches: Sequence[Stretch], unit: int) -> None:
        """`stretches` are when it is traded, [start, end) in ms UTC; `unit` is the price step in the bar's integers."""
        self._bar = bar
        self._stretches = stretches
        self._unit = unit
        self._ticks = max(1, sum(end - start for start, end in stretches) // TICK_MS)
        self._knots = self._make_knots()

    def tick(self, time: int) -> int:
        """The number of the newest tick at `time`, from 0; before the beginning the first, after the end the last."""
        traded = sum(max(0, min(time, end) - start) for start, end in self._stretches)
        open_now = any(start <= time < end for start, end in self._stretches)
        number = traded // TICK_MS if open_now else traded // TICK_MS - 1
        return max(0, min(number, self._ticks - 1))

    def tick_time(self, tick: int) -> int:
        """When a tick falls, ms UTC."""
        left = tick * TICK_MS
        for start, end in self._stretches:
            if left < end - start:
                return start + left
            left -= end - start
        return self._stretches[-1][1] - TICK_MS

    def part(self, first: int, last: int) -> Candle:
        """The candle of the ticks `first` to `last`, both included."""
        prices = [self._price(first), *(price for at, price in self._knots if first < at < last), self._price(last)]
        before = self._volume(first - 1) if first else 0
        return Candle(prices[0], max(prices), min(prices), prices[-1], self._volume(last) - before)

    def _make_knots(self) -> list[tuple[int, int]]:
        """Tick and price of the four corners; a later one wins where several fall on one tick."""
        opened, high, low, closed, _ = self._bar
        extremes = (low, high) if closed >= opened else (high, low)
        last = self._ticks - 1
        ticks = (0, last // 3, last * 2 // 3, last)
        return list(zip(ticks, (opened, *extremes, closed), strict=True))

    def _price(self, tick: int) -> int:
        at = bisect_right(self._knots, tick, key=lambda knot: knot[0]) - 1
        start, price = self._knots[at]
        if tick == start or at + 1 == len(self._knots):
            return price
        end, goal = self._knots[at + 1]
        moved = (goal - price) * (tick - start) // (end - start)
        straight = (price + moved) // self._unit * self._unit
        return min(max(straight, min(price, goal)), max(price, goal))

    def _volume(self, tick: int) -> int:
        """What is traded up to a tick, this included."""
        return self._bar.volume * (tick + 1) // self._ticks
