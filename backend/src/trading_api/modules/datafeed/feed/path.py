"""The prices within one session, from its candle down to seconds.

Each stretch of minutes is split in two whose candles add up to its own, again and again, down to the minute; a minute's
ticks run from one of its four prices to the next. So any stretch is exactly the sum of its ticks, and finding
one takes as many steps as the session can be halved.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import TypeVar

from trading_api.modules.datafeed.feed.candle import Candle, fold
from trading_api.modules.datafeed.feed.noise import Noise, between

SECONDS = 60
_SPLIT, _KNOTS, _TREMOR, _VOLUME = 1, 2, 7, 8
_REMEMBERED = 16
Ticks = tuple[list[int], list[int]]
KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class SessionPath:
    """One session of one symbol. Remembers what it was asked last: live, the same minute is asked for every second."""

    def __init__(self, noise: Noise, day: int, minutes: int, whole: Candle) -> None:
        """`day` is the ordinal of the trading date, `whole` the session's candle."""
        self.whole = whole
        self._noise = noise
        self._day = day
        self._minutes = minutes
        self._sums: dict[tuple[int, int], Candle] = {}
        self._minutes_known: dict[int, Ticks] = {}

    def candle(self, first: int, last: int) -> Candle:
        """The candle of the minutes `first` <= minute < `last`, counted from the opening."""
        known = self._sums.get((first, last))
        if known is None:
            known = fold(self._cover(self.whole, 0, self._minutes, first, last))
            _remember(self._sums, (first, last), known)
        return known

    def tiles(self, first: int, last: int, step: int) -> Iterator[tuple[int, Candle]]:
        """Every candle of `step` minutes from `first` (a multiple of it) to `last`, with its number from the opening.

        All in one walk down the tree: for many of them that costs less than asking for each.
        """
        pieces: list[tuple[int, Candle]] = []
        self._cut(pieces, self.whole, (0, self._minutes), (first, last), step)
        for number, tile in groupby(pieces, itemgetter(0)):
            parts = [candle for _, candle in tile]
            yield number, parts[0] if len(parts) == 1 else fold(parts)

    def part_of_minute(self, number: int, seconds: int) -> Candle:
        """The first `seconds` ticks (1 to 60) of a minute."""
        prices, volumes = self._ticks(number)
        seen = prices[:seconds]
        return Candle(seen[0], max(seen), min(seen), seen[-1], volumes[seconds - 1])

    def _ticks(self, number: int) -> Ticks:
        """The ticks of a minute: prices, and the volume from its beginning to each."""
        known = self._minutes_known.get(number)
        if known is None:
            minute = next(self._cover(self.whole, 0, self._minutes, number, number + 1))
            known = self._prices(minute, number), self._volumes(minute.volume, number)
            _remember(self._minutes_known, number, known)
        return known

    def _cover(self, candle: Candle, start: int, end: int, first: int, last: int) -> Iterator[Candle]:
        """What of the stretch `start` to `end`, whose candle is given, lies in `first` to `last`."""
        if first >= end or last <= start:
            return
        if first <= start and end <= last:
            yield candle
            return
        middle = (start + end) // 2
        left, right = self._split(candle, start, middle, end)
        yield from self._cover(left, start, middle, first, last)
        yield from self._cover(right, middle, end, first, last)

    def _cut(
        self,
        pieces: list[tuple[int, Candle]],
        candle: Candle,
        stretch: tuple[int, int],
        wanted: tuple[int, int],
        step: int,
    ) -> None:
        """Gather the largest pieces of a stretch that lie in what is wanted and in one tile each."""
        start, end = stretch
        if start >= wanted[1] or end <= wanted[0]:
            return
        number = start // step
        if (end - 1) // step == number and wanted[0] <= start and end <= wanted[1]:
            pieces.append((number, candle))
            return
        middle = (start + end) // 2
        left, right = self._split(candle, start, middle, end)
        self._cut(pieces, left, (start, middle), wanted, step)
        self._cut(pieces, right, (middle, end), wanted, step)

    def _split(self, whole: Candle, start: int, middle: int, end: int) -> tuple[Candle, Candle]:
        """Two candles that add up to one: each extreme is reached on one side at least, mostly not on the same."""
        words = self._noise.words(_SPLIT, self._day, start << 16 | end)
        opened, high, low, closed, volume = whole
        expected = opened + (closed - opened) * (middle - start) // (end - start)
        spread = (high - low) // 3
        # Drawn within the range, not clamped to it: prices would stick to its ends.
        price = between(words[0], max(low, expected - spread), min(high, expected + spread))
        high_left = bool(words[1] & 1)
        low_left = high_left if words[1] & 6 == 0 else not high_left
        high_here, high_there = high, _towards(max(price, closed if high_left else opened), high, words[2])
        low_here, low_there = low, _towards(min(price, closed if low_left else opened), low, words[3])
        highs = (high_here, high_there) if high_left else (high_there, high_here)
        lows = (low_here, low_there) if low_left else (low_there, low_here)
        traded = volume * (middle - start) * between(words[4], 600, 1400) // (1000 * (end - start))
        return (
            Candle(opened, highs[0], lows[0], price, traded),
            Candle(price, highs[1], lows[1], closed, volume - traded),
        )

    def _prices(self, minute: Candle, number: int) -> list[int]:
        """From open to close by both extremes, on straight lines with a tremor that stays within the minute's range."""
        words = self._noise.words(_KNOTS, self._day, number)
        extremes = (minute.high, minute.low) if words[0] & 1 else (minute.low, minute.high)
        seconds = (0, between(words[1], 8, 27), between(words[2], 31, 52), SECONDS - 1)
        knots = list(zip(seconds, (minute.open, *extremes, minute.close), strict=True))
        tremor = self._noise.octets(_TREMOR, self._day, number)
        width = (minute.high - minute.low) // 6
        prices = [minute.open]
        for (start, before), (end, after) in pairwise(knots):
            for second in range(start + 1, end):
                straight = before + (after - before) * (second - start) // (end - start)
                shaken = straight + (tremor[second] - 128) * width // 128
                prices.append(min(max(shaken, minute.low), minute.high))
            prices.append(after)
        return prices

    def _volumes(self, volume: int, number: int) -> list[int]:
        """The volume spread over the ticks; the last number is all of it."""
        shares = self._noise.octets(_VOLUME, self._day, number)[:SECONDS]
        # 1 each, so that a share is never of nothing.
        sums = list(accumulate(share + 1 for share in shares))
        return [volume * part // sums[-1] for part in sums]


def _towards(start: int, limit: int, word: int) -> int:
    """Somewhere on the first half of the way."""
    return start + (abs(limit - start) * (word >> 16) >> 17) * (1 if limit > start else -1)


def _remember(known: dict[KeyT, ValueT], key: KeyT, value: ValueT) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
