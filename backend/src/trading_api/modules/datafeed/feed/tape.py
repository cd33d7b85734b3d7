"""One trading day of a replayed symbol, ready to be played: from the opening of its session to the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from trading_api.modules.datafeed.bar_time import period_start
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.bar_path import BarPath, Stretch
from trading_api.modules.datafeed.feed.candle import Candle, fold
from trading_api.modules.datafeed.feed.columns import BarColumns
from trading_api.modules.datafeed.feed.day_bars import midnight
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import SessionWindow
from trading_api.modules.datafeed.feed.track import Track, bar_end
from trading_api.modules.datafeed.resolution import Resolution


@dataclass(frozen=True, slots=True)
class Scales:
    """What all numbers of a tape are brought to: decimals of prices and volumes, and the price step."""

    price: int
    volume: int
    unit: int

    def candle(self, bar: ScaledBar) -> Candle:
        """A bar's numbers at these scales, which hold them."""
        factor = 10 ** (self.price - bar.price_scale)
        volume = bar.volume * 10 ** (self.volume - bar.volume_scale)
        return Candle(bar.open * factor, bar.high * factor, bar.low * factor, bar.close * factor, volume)

    def bar(self, time: int, candle: Candle) -> ScaledBar:
        """The reverse."""
        opened, high, low, closed, volume = candle
        return ScaledBar(time, self.price, opened, high, low, closed, self.volume, volume)


@dataclass(frozen=True, slots=True)
class DatedBars:
    """The bars of one dated resolution: those before the current period, ascending, and its own as stored."""

    finished: tuple[ScaledBar, ...]
    current: ScaledBar | None
    stretches: tuple[Stretch, ...]

    @property
    def end(self) -> int:
        """When the current period is over, ms UTC."""
        return self.stretches[-1][1]

    def all(self) -> Iterator[ScaledBar]:
        yield from self.finished
        if self.current:
            yield self.current


@dataclass(frozen=True, slots=True)
class Carried:
    """How the day before ended: its last quote, and the last price of its session, at `scale` decimals."""

    quote: Quote
    close: int


class Tape:
    """The trading day of `window`, until the next session opens at `end` (ms UTC). It never changes."""

    def __init__(
        self,
        window: SessionWindow,
        end: int,
        scales: Scales,
        track: Track,
        stored: Mapping[Resolution, BarColumns],
        before: Mapping[Resolution, ScaledBar],
        dated: Mapping[Resolution, DatedBars],
        carried: Carried | None,
    ) -> None:
        """`stored` are the intraday bars of the day by resolution, `before` the last ones before it."""
        self.window = window
        self.end = end
        self.track = track
        self._scales = scales
        self._stored = stored
        self._before = before
        self._dated = dated
        self._carried = carried
        self._in_session = track.bars.first_from(window.end)
        candles = [scales.candle(track.bars[number]) for number in range(self._in_session)]
        # Of the session up to and with each bar, so that a quote costs the same at any time of the day.
        self._highs = list(accumulate((candle.high for candle in candles), max))
        self._lows = list(accumulate((candle.low for candle in candles), min))
        self._volumes = list(accumulate(candle.volume for candle in candles))

    def quote(self, time: int) -> Quote | None:
        """The quote in force at `time`; before the first bar of the day that of the day before, if there is one."""
        newest = self._newest(time)
        if newest < 0:
            return self._carried.quote if self._carried else None
        path = self._path(newest)
        tick = path.tick(time)
        day, last, unit = self._day(time), path.part(tick, tick).close, self._scales.unit
        day = day or path.part(0, tick)
        previous = self._previous_close(day)
        return Quote(
            time=path.tick_time(tick),
            price_scale=self._scales.price,
            last=last,
            # Never 0, which would be no bid: a price of one step has its bid at it.
            bid=max(last - unit, min(last, unit)),
            ask=last + unit,
            open=day.open,
            high=day.high,
            low=day.low,
            previous_close=previous,
            volume_scale=self._scales.volume,
            volume=day.volume,
        )

    def carry(self) -> Carried | None:
        """What the next day begins with."""
        quote, day = self.quote(self.end - 1), self._day(self.end - 1)
        if quote is None or self._newest(self.end - 1) < 0:
            return self._carried
        return Carried(quote, day.close if day else quote.last)

    def bars(self, resolution: Resolution, since: int | None, time: int) -> list[ScaledBar]:
        """The bars of this day, or (dated ones) up to it, as they stand at `time`; `since` None: only the newest."""
        if resolution.minutes is None:
            found = self._dated_bars(resolution, time)
            return found[-1:] if since is None else [bar for bar in found if bar.time >= since]
        if since is not None:
            return list(self._intraday(resolution, resolution.minutes, since, time))
        newest = self._newest_intraday(resolution, resolution.minutes, time)
        before = self._before.get(resolution)
        return [newest] if newest else [before] if before else []

    def _newest(self, time: int) -> int:
        """The number of the newest bar of the track that has begun; -1 if none has."""
        if self.track.dated is not None:
            return 0 if len(self.track.bars) and time >= self.window.start else -1
        return self.track.bars.last_until(time)

    def _path(self, number: int) -> BarPath:
        bar, track = self.track.bars[number], self.track
        # One that began before the opening is traded from there on.
        stretches = track.stretches or ((max(bar.time, self.window.start), track.ends[number]),)
        return BarPath(self._scales.candle(bar), stretches, self._scales.unit)

    def _candle(self, number: int, time: int) -> Candle:
        """A bar of the track as it stands."""
        if self.track.dated is None and self.track.ends[number] <= time:
            return self._scales.candle(self.track.bars[number])
        path = self._path(number)
        return path.part(0, path.tick(time))

    def _day(self, time: int) -> Candle | None:
        """The candle of the session so far; None before its first bar."""
        newest = min(self._newest(time), self._in_session - 1)
        if self.track.dated is not None:
            return self._day_of_dated(time) if self._newest(time) >= 0 else None
        if newest < 0:
            return None
        last = self._candle(newest, time)
        if newest == 0:
            return last
        opened = self._scales.candle(self.track.bars[0]).open
        high, low = max(self._highs[newest - 1], last.high), min(self._lows[newest - 1], last.low)
        return Candle(opened, high, low, last.close, self._volumes[newest - 1] + last.volume)

    def _day_of_dated(self, time: int) -> Candle:
        path = self._path(0)
        return path.part(path.tick(self.window.start), path.tick(time))

    def _previous_close(self, day: Candle) -> int:
        """Of the first day that is stored, the price at which it opened."""
        if self._carried is None:
            return day.open
        quote = self._carried.quote
        return rescale(self._carried.close, quote.price_scale, self._scales.price)

    def _intraday(self, resolution: Resolution, minutes: int, since: int, time: int) -> Iterator[ScaledBar]:
        stored = self._stored.get(resolution)
        if stored is None:
            return
        for number in range(stored.first_from(since), stored.last_until(time) + 1):
            bar = self._as_it_stands(stored[number], minutes, time)
            if bar is not None:
                yield bar

    def _newest_intraday(self, resolution: Resolution, minutes: int, time: int) -> ScaledBar | None:
        stored = self._stored.get(resolution)
        number = stored.last_until(time) if stored else -1
        while stored and number >= 0:
            bar = self._as_it_stands(stored[number], minutes, time)
            if bar is not None:
                return bar
            number -= 1
        return None

    def _as_it_stands(self, bar: ScaledBar, minutes: int, time: int) -> ScaledBar | None:
        """A stored bar, or what has formed of it; None when nothing in it has been traded yet."""
        end = bar_end(self.window, bar.time, minutes)
        if end <= time:
            return bar
        first, newest = self.track.bars.first_from(bar.time), self._newest(time)
        if newest < first or self.track.dated is not None:
            return None
        formed = fold(self._candle(number, time) for number in range(first, newest + 1))
        return self._scales.bar(bar.time, formed)

    def _dated_bars(self, resolution: Resolution, time: int) -> list[ScaledBar]:
        bars = self._dated.get(resolution)
        if bars is None:
            return []
        current = self._current(resolution, bars, time)
        return [*bars.finished, *([current] if current else [])]

    def _current(self, resolution: Resolution, bars: DatedBars, time: int) -> ScaledBar | None:
        """The bar of the current period, as stored once that is over."""
        if time >= bars.end:
            return bars.current
        period = midnight(period_start(self.window.day, resolution))
        followed = self.track.dated
        if followed in {Resolution.WEEK, Resolution.MONTH}:
            # No days to fold: the bar runs through its own sessions.
            return bars.current and self._run(bars.current, bars.stretches, time)
        days = self._dated.get(Resolution.DAY)
        earlier = [bar for bar in days.finished if bar.time >= period] if days else []
        day = self._day(time)
        parts = [*(self._scales.candle(bar) for bar in earlier), *([day] if day else [])]
        return self._scales.bar(period, fold(parts)) if parts else None

    def _run(self, bar: ScaledBar, stretches: tuple[Stretch, ...], time: int) -> ScaledBar:
        path = BarPath(self._scales.candle(bar), stretches, self._scales.unit)
        return self._scales.bar(bar.time, path.part(0, path.tick(time)))


def rescale(value: int, scale: int, wanted: int) -> int:
    """A number with `scale` decimals at `wanted` decimals, rounded down where it needs more."""
    shifted: int = value * 10 ** (wanted - scale) if wanted >= scale else value // 10 ** (scale - wanted)
    return shifted
