"""The simulated market of one symbol.

All of it is integer arithmetic on hashes; nothing depends on a platform's floats or on Python's own hash seed. One tick
a second while the session is open. Prices revert to the profile's, within about a third of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.candle import Candle, fold
from trading_api.modules.datafeed.feed.noise import Noise, between
from trading_api.modules.datafeed.feed.path import SessionPath
from trading_api.modules.datafeed.feed.price_unit import price_unit
from trading_api.modules.datafeed.feed.profile import profile_of
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule, SessionWindow
from trading_api.modules.datafeed.feed.session_shelf import SessionKey, SessionShelf
from trading_api.modules.datafeed.feed.spans import BarSpan, Part
from trading_api.modules.datafeed.instruments.instrument import Instrument

TICK_MS = 1000
_MILLION = 1_000_000
_CLOSE, _DAY, _SPREAD = 3, 4, 6
# A day's close swings around the profile's price with these periods (days), so many tenths of a day's move wide.
_WAVES = ((1, 7), (4, 12), (16, 25), (64, 50), (256, 80))
# A month bar is the sum of up to 31 sessions.
_PATHS_REMEMBERED = 64
# Since the first simulated day, and for some years to come.
_DAYS_REMEMBERED = 6000


class _Session(NamedTuple):
    """The newest session until the next one opens (ms UTC), and the last price before it, in ticks."""

    window: SessionWindow
    until: int
    previous_close: int


class SimulatedMarket:
    """Times are ms UTC. What it remembers is only there to be quick, so threads may share it."""

    def __init__(self, seed: int, instrument: Instrument, shelf: SessionShelf | None = None) -> None:
        """`shelf`: one that markets of this seed share.

        Raises ValueError when the instrument's price step, session, calendar or time zone cannot be used.
        """
        unit = price_unit(instrument)
        if unit is None:
            raise ValueError(f"the price step of {instrument.name} is no decimal number")
        self._unit, self._scale = unit
        self.instrument = instrument
        self.schedule = Schedule.of(instrument)
        self._noise = Noise(seed, instrument.name)
        self._profile = profile_of(instrument, self._noise)
        self._ticks, self._per_ticks = (self._profile.price / instrument.tick).as_integer_ratio()
        self._volume = self._profile.volume * 10**instrument.volume_precision
        self._heights = [self._profile.daily_ppm * tenths // 10 for _, tenths in _WAVES]
        self._waves: dict[tuple[int, int], int] = {}
        self._closes: dict[int, int] = {}
        self._drawn: dict[SessionWindow, Candle] = {}
        self._paths: dict[SessionWindow, SessionPath] = {}
        self._newest: _Session | None = None
        self._shelf = shelf or SessionShelf()

    def quote(self, time: int) -> Quote:
        """The quote in force at `time`."""
        session = self._session(time)
        window = session.window
        tick = min((time - window.start) // TICK_MS, (window.end - window.start) // TICK_MS - 1)
        day = fold(self._traded(Part(window, 0, window.minutes), time))
        bid, ask = self._around(day.close, window, tick // 60)
        return Quote(
            time=window.start + tick * TICK_MS,
            price_scale=self._scale,
            last=day.close * self._unit,
            bid=bid * self._unit,
            ask=ask * self._unit,
            open=day.open * self._unit,
            high=day.high * self._unit,
            low=day.low * self._unit,
            previous_close=session.previous_close * self._unit,
            volume_scale=self.instrument.volume_precision,
            volume=day.volume,
        )

    def bar(self, span: BarSpan, time: int) -> ScaledBar:
        """The bar over the ticks of `span` up to `time`. Raises ValueError when the span has not begun."""
        return self._bar(span.time, fold(candle for part in span.parts for candle in self._traded(part, time)))

    def intraday(self, window: SessionWindow, step: int, first: int, time: int) -> Iterator[ScaledBar]:
        """The bars of `step` minutes of a session up to `time`, from the one that holds the minute `first` on."""
        over = min((time - window.start) // MINUTE_MS, window.minutes)
        first = first // step * step
        if over == window.minutes:
            yield from self._finished(window, step, first)
            return
        done = over // step * step
        if first < done:
            yield from self._tiles(window, step, first, done)
        if time >= window.start:
            forming = Part(window, max(first, done), min(done + step, window.minutes))
            yield self.bar(BarSpan(window.start + done * MINUTE_MS, (forming,)), time)

    def _finished(self, window: SessionWindow, step: int, first: int) -> Iterator[ScaledBar]:
        """The bars of a session that is over, from the minute `first` on."""
        key = SessionKey(self.instrument, window, step)
        bars = self._shelf.get(key)
        # Less than half of it, as for the first bars of a chart, is quicker computed than all of it.
        if bars is None and (first > window.minutes // 2 or not self._fits(window)):
            return self._tiles(window, step, first, window.minutes)
        if bars is None:
            bars = self._shelf.put(key, self._tiles(window, step, 0, window.minutes))
        return bars.since(first // step)

    def _fits(self, window: SessionWindow) -> bool:
        """Whether 64 bits hold the numbers of its bars: with 18 decimals they need not."""
        whole = self._whole(window)
        return max(whole.high * self._unit, whole.volume) < 2**63

    def _tiles(self, window: SessionWindow, step: int, first: int, done: int) -> Iterator[ScaledBar]:
        tiles = self._path(window).tiles(first, done, step)
        return (self._bar(window.start + number * step * MINUTE_MS, tile) for number, tile in tiles)

    def dated(self, bar_time: int, windows: list[SessionWindow], time: int) -> ScaledBar:
        """The bar over whole sessions, of which the first has begun by `time`."""
        return self._bar(bar_time, fold(candle for window in windows for candle in self._day(window, time)))

    def _day(self, window: SessionWindow, time: int) -> list[Candle]:
        if window.end <= time:
            return [self._whole(window)]
        return self._traded(Part(window, 0, window.minutes), time)

    def _bar(self, time: int, candle: Candle) -> ScaledBar:
        unit = self._unit
        opened, high, low, closed, volume = candle
        return ScaledBar(
            time,
            self._scale,
            opened * unit,
            high * unit,
            low * unit,
            closed * unit,
            self.instrument.volume_precision,
            volume,
        )

    def _session(self, time: int) -> _Session:
        """The session of `time` or the last one before it: live, mostly that of the last call."""
        newest = self._newest
        if newest is None or not newest.window.start <= time < newest.until:
            window = self.schedule.latest(time)
            before = self._close(self.schedule.before(window))
            newest = self._newest = _Session(window, self.schedule.after(window).start, before)
        return newest

    def _traded(self, part: Part, time: int) -> list[Candle]:
        """Candles of what of a part has been traded by `time`."""
        window = part.window
        minute, rest = divmod(time - window.start, MINUTE_MS)
        if minute < part.first:
            return []
        path, done = self._path(window), min(minute, part.last)
        whole = [path.candle(part.first, done)] if done > part.first else []
        return whole if minute >= part.last else [*whole, path.part_of_minute(minute, rest // TICK_MS + 1)]

    def _path(self, window: SessionWindow) -> SessionPath:
        path = self._paths.get(window)
        if path is None:
            if len(self._paths) >= _PATHS_REMEMBERED:
                self._paths.clear()
            path = SessionPath(self._noise, window.day.toordinal(), window.minutes, self._whole(window))
            self._paths[window] = path
        return path

    def _whole(self, window: SessionWindow) -> Candle:
        """The candle of a session."""
        known = self._drawn.get(window)
        if known is None:
            if len(self._drawn) >= _DAYS_REMEMBERED:
                self._drawn.clear()
            known = self._drawn[window] = self._draw(window)
        return known

    def _draw(self, window: SessionWindow) -> Candle:
        words = self._noise.words(_DAY, window.day.toordinal(), 0)
        move = self._profile.daily_ppm
        before = self.schedule.before(window)
        opened, closed = self._close(before), self._close(window)
        if before.end != window.start:
            opened += opened * between(words[0], -move // 4, move // 4) // _MILLION
        high, low = max(opened, closed), min(opened, closed)
        high += high * between(words[1], 0, move) // _MILLION
        low -= low * between(words[2], 0, move) // _MILLION
        return Candle(opened, high, low, closed, self._volume * between(words[3], 600, 1400) // 1000)

    def _close(self, window: SessionWindow) -> int:
        """The last price of a session, in ticks: at least 1."""
        day = window.day.toordinal()
        close = self._closes.get(day)
        if close is None:
            if len(self._closes) >= _DAYS_REMEMBERED:
                self._closes.clear()
                self._waves.clear()
            swing = sum(self._wave(day, number) for number in range(len(_WAVES)))
            close = max(1, self._ticks * (_MILLION + swing) // (self._per_ticks * _MILLION))
            self._closes[day] = close
        return close

    def _wave(self, day: int, wave: int) -> int:
        """Straight lines between random heights, one every `period` days; in millionths."""
        period = _WAVES[wave][0]
        number, rest = divmod(day, period)
        start = self._height(wave, number)
        return start + (self._height(wave, number + 1) - start) * rest // period if rest else start

    def _height(self, wave: int, number: int) -> int:
        known = self._waves.get((wave, number))
        if known is None:
            word = self._noise.words(_CLOSE, _WAVES[wave][0], number)[0]
            known = self._waves[wave, number] = between(word, -self._heights[wave], self._heights[wave])
        return known

    def _around(self, last: int, window: SessionWindow, minute: int) -> tuple[int, int]:
        """Bid and ask: one to three ticks apart, the last price between them or one of them."""
        words = self._noise.words(_SPREAD, window.day.toordinal(), minute)
        spread = between(words[0], 1, 3)
        below = min(between(words[1], 0, spread), last - 1)
        return last - below, last - below + spread
