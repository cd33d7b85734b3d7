"""Bars from ticks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.spans import BarSpan, span_of
from trading_api.modules.datafeed.feed.tick import Tick
from trading_api.modules.datafeed.resolution import Resolution


class Slots:
    """Finds the bar that an instant falls in. Ticks come in order, so mostly it is that of the last call."""

    def __init__(self, schedule: Schedule, resolution: Resolution) -> None:
        self._schedule = schedule
        self._resolution = resolution
        self._span: BarSpan | None = None

    def bar_time(self, time: int) -> int | None:
        """The time of the bar, ms UTC; None outside every session: such ticks are in no bar."""
        span = self._span
        if span is None or len(span.parts) > 1 or not span.start <= time < span.end:
            span = self._span = span_of(self._schedule, self._resolution, time)
        return span.time if span else None

    def bar_time_of(self, tick: Tick) -> int | None:
        """The time of the bar that a tick belongs to; None for one without a last price, too."""
        return self.bar_time(tick.time) if tick.last else None


def bar_of(time: int, tick: Tick) -> ScaledBar:
    """The bar of a single tick."""
    return ScaledBar(time, tick.price_scale, tick.last, tick.last, tick.last, tick.last, tick.volume_scale, tick.volume)


def joined(earlier: ScaledBar, later: ScaledBar) -> ScaledBar:
    """Two parts of one bar; where their scales differ, at the finer ones."""
    price = max(earlier.price_scale, later.price_scale)
    volume = max(earlier.volume_scale, later.volume_scale)
    first, last = _at(earlier, price, volume), _at(later, price, volume)
    return first._replace(
        high=max(first.high, last.high),
        low=min(first.low, last.low),
        close=last.close,
        volume=first.volume + last.volume,
    )


def ascending_bars(ticks: Iterable[Tick], slots: Slots) -> Iterator[ScaledBar]:
    """The bars of ticks that ascend by time."""
    bar: ScaledBar | None = None
    for tick in ticks:
        time = slots.bar_time_of(tick)
        if time is None:
            continue
        if bar is not None and bar.time != time:
            yield bar
            bar = None
        bar = bar_of(time, tick) if bar is None else joined(bar, bar_of(time, tick))
    if bar is not None:
        yield bar


def descending_bars(ticks: Iterable[Tick], slots: Slots) -> Iterator[ScaledBar]:
    """The bars of ticks that descend by time, newest first."""
    bar: ScaledBar | None = None
    for tick in ticks:
        time = slots.bar_time_of(tick)
        if time is None:
            continue
        if bar is not None and bar.time != time:
            yield bar
            bar = None
        bar = bar_of(time, tick) if bar is None else joined(bar_of(time, tick), bar)
    if bar is not None:
        yield bar


def _at(bar: ScaledBar, price: int, volume: int) -> ScaledBar:
    if bar.price_scale == price and bar.volume_scale == volume:
        return bar
    factor = 10 ** (price - bar.price_scale)
    return ScaledBar(
        bar.time,
        price,
        bar.open * factor,
        bar.high * factor,
        bar.low * factor,
        bar.close * factor,
        volume,
        bar.volume * 10 ** (volume - bar.volume_scale),
    )
