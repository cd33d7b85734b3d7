"""Which bars answer a request for history (trading.md, Datafeed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from trading_api.modules.datafeed.bar_time import epoch_ms
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_text import BarText

MAX_BARS = 20_000


class RangeError(ValueError):
    """The request makes no sense or asks for too much; the message says what to ask instead."""


@dataclass(frozen=True, slots=True)
class Between:
    """`[start, end)` in ms UTC; `end` None is open."""

    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest `count` bars before `end` (ms UTC, exclusive; None is open)."""

    count: int
    end: int | None


def parse_range(from_time: int | None, to_time: int | None, count_back: int | None) -> Between | Newest:
    """What a request asks for: times in seconds, or in ms from 1e11 on; `count_back` outranks `from_time`.

    Raises RangeError for a reversed range, a count out of bounds, or neither a start nor a count.
    """
    start = None if from_time is None else epoch_ms(from_time)
    end = None if to_time is None else epoch_ms(to_time)
    if start is not None and end is not None and start > end:
        raise RangeError(f"from_time {from_time} is after to_time {to_time}")
    if count_back is not None:
        if not 1 <= count_back <= MAX_BARS:
            raise RangeError(f"count_back {count_back} is out of range: 1 to {MAX_BARS}")
        return Newest(count=count_back, end=end)
    if start is None:
        raise RangeError("give from_time, or count_back for the newest bars before to_time")
    return Between(start=start, end=end)


@dataclass(frozen=True, slots=True)
class History:
    """Bars ascending by time; `next_time` (ms UTC) is the newest bar before an empty range, if there is any."""

    bars: BarText
    next_time: int | None

    @property
    def no_data(self) -> bool:
        """True only when the range is empty and nothing older exists either."""
        return not self.bars.count and self.next_time is None


class SeriesReader(Protocol):
    """The bars of one symbol at one resolution."""

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        """The newest `limit` bars with time < end, ascending."""

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        """The oldest `limit` bars with start <= time < end, ascending."""


class TextReader(Protocol):
    """The same bars as clients read them."""

    def newest(self, *, end: int | None, limit: int) -> BarText:
        """The newest `limit` bars with time < end, ascending."""

    def between(self, *, start: int, end: int | None, limit: int) -> BarText:
        """The oldest `limit` bars with start <= time < end, ascending."""


def select_history(series: TextReader, wanted: Between | Newest) -> History:
    """The bars asked for. Raises RangeError when the range holds more than MAX_BARS."""
    if isinstance(wanted, Newest):
        return History(bars=series.newest(end=wanted.end, limit=wanted.count), next_time=None)
    bars = series.between(start=wanted.start, end=wanted.end, limit=MAX_BARS + 1)
    if bars.count > MAX_BARS:
        raise RangeError(f"the range holds more than {MAX_BARS} bars: ask for a shorter one, or use count_back")
    return History(bars=bars, next_time=None if bars.count else series.newest(end=wanted.start, limit=1).last_time)
