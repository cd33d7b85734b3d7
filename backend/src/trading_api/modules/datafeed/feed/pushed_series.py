"""The history of a symbol that is pushed: bars of its stored ticks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import RangeError
from trading_api.modules.datafeed.feed.day_bars import DAY_MS
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.tick import StoredTick, Tick
from trading_api.modules.datafeed.feed.tick_bars import Slots, ascending_bars, descending_bars
from trading_api.modules.datafeed.feed.tick_store import TickStore
from trading_api.modules.datafeed.resolution import Resolution

MAX_TICKS = 1_000_000
# The session of a date may begin so long before 00:00 UTC of it, which is the time of its bar.
_EARLY_MS = 2 * DAY_MS


class PushedSeries:
    """A SeriesReader over the ticks with a number up to `seq`. It keeps a page of ticks and the bars asked for."""

    def __init__(self, ticks: TickStore, symbol: str, schedule: Schedule, resolution: Resolution, seq: int) -> None:
        self._ticks = ticks
        self._symbol = symbol
        self._schedule = schedule
        self._resolution = resolution
        self._seq = seq

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        """The newest `limit` bars with time < end, ascending. Raises RangeError past MAX_TICKS."""
        ticks = _bounded(self._ticks.before(self._symbol, self._seq))
        bars = descending_bars(ticks, Slots(self._schedule, self._resolution))
        wanted = (bar for bar in bars if end is None or bar.time < end)
        return list(islice(wanted, limit))[::-1]

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        """The oldest `limit` bars with start <= time < end, ascending. Raises RangeError past MAX_TICKS."""
        since = start if self._resolution.minutes else start - _EARLY_MS
        stored = self._ticks.after(0, symbol=self._symbol, since=since)
        ticks = _bounded(tick for tick in stored if tick.seq <= self._seq)
        return list(
            islice(self._until(ascending_bars(ticks, Slots(self._schedule, self._resolution)), start, end), limit)
        )

    def _until(self, bars: Iterable[ScaledBar], start: int, end: int | None) -> Iterator[ScaledBar]:
        for bar in bars:
            if end is not None and bar.time >= end:
                return
            if bar.time >= start:
                yield bar


def _bounded(ticks: Iterable[StoredTick]) -> Iterator[Tick]:
    for number, stored in enumerate(ticks):
        if number == MAX_TICKS:
            raise RangeError(f"the range holds more than {MAX_TICKS} pushed quotes: ask for a shorter one")
        yield stored.tick
