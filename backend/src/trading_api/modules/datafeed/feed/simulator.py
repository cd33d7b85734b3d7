"""Simulated markets: a pure function of seed, symbol and time, so every process tells the same without storing any.

All of it is integer arithmetic on hashes; nothing depends on a platform's floats or on Python's own hash seed. One tick
a second while the session is open. Prices revert to the profile's, within about a third of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.feed.candle import Candle, fold
from trading_api.modules.datafeed.feed.noise import Noise, between
from trading_api.modules.datafeed.feed.path import SessionPath
from trading_api.modules.datafeed.feed.profile import profile_of
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule, SessionWindow
from trading_api.modules.datafeed.feed.spans import BarSpan, Part
from trading_api.modules.datafeed.instrument import Instrument

DEFAULT_SEED = 20_240_102
TICK_MS = 1000
_MILLION = 1_000_000
_CLOSE, _DAY, _SPREAD = 3, 4, 6
# A day's close swings around the profile's price with these periods (days), so many tenths of a day's move wide.
_WAVES = ((1, 7), (4, 12), (16, 25), (64, 50), (256, 80))
_MAX_SCALE = 18
# A month bar is the sum of up to 31 sessions.
_REMEMBERED = 64


class Simulator:
    """The `simulated` feed source."""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._market = lru_cache(maxsize=1024)(lambda instrument: SimulatedMarket(seed, instrument))

    def covers(self, instrument: Instrument) -> bool:
        """All but symbols whose price step is no decimal number, such as a third."""
        return price_unit(instrument) is not None

    def quote(self, instrument: Instrument, time: int) -> Quote:
        """The quote in force at `time`."""
        return self._market(instrument).quote(time)

    def bar(self, instrument: Instrument, span: BarSpan, time: int) -> ScaledBar:
        """The bar over the ticks of `span` up to `time`."""
        return self._market(instrument).bar(span, time)


class _Session(NamedTuple):
    """The newest session until the next one opens (ms UTC), and the last price before it, in ticks."""

    window: SessionWindow
    until: int
    previous_close: int


class SimulatedMarket:
    """One symbol. Times are ms UTC."""

    def __init__(self, seed: int, instrument: Instrument) -> None:
        """Raises ValueError when the instrument's price step, session or time zone cannot be used."""
        unit = price_unit(instrument)
        if unit is None:
            raise ValueError(f"the price step of {instrument.name} is no decimal number")
        self._unit, self._scale = unit
        self.instrument = instrument
        self.schedule = Schedule.of(instrument)
        self._noise = Noise(seed, instrument.name)
        self._profile = profile_of(instrument, self._noise)
        self._paths: dict[SessionWindow, SessionPath] = {}
        self._newest: _Session | None = None

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
        candle = self._candle(span, time)
        return ScaledBar(
            time=span.time,
            price_scale=self._scale,
            open=candle.open * self._unit,
            high=candle.high * self._unit,
            low=candle.low * self._unit,
            close=candle.close * self._unit,
            volume_scale=self.instrument.volume_precision,
            volume=candle.volume,
        )

    def _session(self, time: int) -> _Session:
        """The session of `time` or the last one before it: live, mostly that of the last call."""
        newest = self._newest
        if newest is None or not newest.window.start <= time < newest.until:
            window = self.schedule.latest(time)
            before = self._close(self.schedule.before(window))
            newest = self._newest = _Session(window, self.schedule.after(window).start, before)
        return newest

    def _candle(self, span: BarSpan, time: int) -> Candle:
        return fold(candle for part in span.parts for candle in self._traded(part, time))

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
            if len(self._paths) >= _REMEMBERED:
                self._paths.clear()
            path = SessionPath(self._noise, window.day.toordinal(), window.minutes, self._draw(window))
            self._paths[window] = path
        return path

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
        steps = self._profile.volume * 10**self.instrument.volume_precision
        return Candle(opened, high, low, closed, steps * between(words[3], 600, 1400) // 1000)

    def _close(self, window: SessionWindow) -> int:
        """The last price of a session, in ticks: at least 1."""
        swing = sum(self._wave(window.day.toordinal(), *wave) for wave in _WAVES)
        numerator, denominator = (self._profile.price / self.instrument.tick).as_integer_ratio()
        return max(1, numerator * (_MILLION + swing) // (denominator * _MILLION))

    def _wave(self, day: int, period: int, tenths: int) -> int:
        """Straight lines between random heights, one every `period` days; in millionths."""
        number, rest = divmod(day, period)
        height = self._profile.daily_ppm * tenths // 10
        start, end = (between(self._noise.words(_CLOSE, period, at)[0], -height, height) for at in (number, number + 1))
        return start + (end - start) * rest // period

    def _around(self, last: int, window: SessionWindow, minute: int) -> tuple[int, int]:
        """Bid and ask: one to three ticks apart, the last price between them or one of them."""
        words = self._noise.words(_SPREAD, window.day.toordinal(), minute)
        spread = between(words[0], 1, 3)
        below = min(between(words[1], 0, spread), last - 1)
        return last - below, last - below + spread


def price_unit(instrument: Instrument) -> tuple[int, int] | None:
    """The price step as (coefficient, number of decimals), or None when it is no decimal number."""
    for scale in range(_MAX_SCALE + 1):
        unit, rest = divmod(instrument.minmov * 10**scale, instrument.pricescale)
        if not rest and unit:
            return unit, scale
    return None
