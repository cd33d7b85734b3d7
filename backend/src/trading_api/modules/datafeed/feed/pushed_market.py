"""What was pushed of one symbol, as far as live streams need it: the newest quote, minutes and days."""

from __future__ import annotations

from bisect import bisect_left

from trading_api.modules.datafeed.bar_time import period_start
from trading_api.modules.datafeed.bars.aggregation import aggregate
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.day_bars import date_of, first_session, midnight
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.spans import span_at
from trading_api.modules.datafeed.feed.tape import rescale
from trading_api.modules.datafeed.feed.tick import Tick
from trading_api.modules.datafeed.feed.tick_bars import Slots, bar_of, joined
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

# A few days of minutes, and the days of this month and the last one. Streams are told at every change.
_MINUTES_KEPT, _DAYS_KEPT = 5000, 70


class PushedMarket:
    """Takes ticks in their order. Whoever shares it between threads locks it."""

    def __init__(self, instrument: Instrument) -> None:
        """Raises ValueError when the instrument's session, time zone or calendar cannot be used."""
        self._schedule = Schedule.of(instrument)
        self._minute_of = Slots(self._schedule, Resolution.MINUTE_1)
        self._day_of = Slots(self._schedule, Resolution.DAY)
        self._newest: Tick | None = None
        self._priced: Tick | None = None
        self._quote: Quote | None = None
        self._minutes: list[ScaledBar] = []
        self._days: list[ScaledBar] = []

    def since(self, time: int) -> int:
        """From when on ticks are needed that lead to `time`, ms UTC: this month, and the day before it."""
        month = midnight(period_start(self._schedule.latest(time).day, Resolution.MONTH))
        return self._schedule.before(first_session(self._schedule, month)).start

    def take(self, tick: Tick) -> None:
        """The next tick."""
        self._newest, self._quote = tick, None
        if tick.last:
            self._priced = tick
        _take(self._minutes, self._minute_of.bar_time_of(tick), tick, _MINUTES_KEPT)
        _take(self._days, self._day_of.bar_time_of(tick), tick, _DAYS_KEPT)

    def quote(self) -> Quote | None:
        """The newest; its day is that of the last session in which anything was pushed.

        None: nothing was pushed that tells a price.
        """
        if self._quote is None and self._newest is not None and self._priced is not None:
            self._quote = self._make_quote(self._newest, self._priced)
        return self._quote

    def _make_quote(self, tick: Tick, priced: Tick) -> Quote:
        """The sides of the newest tick, and the newest last price, which may be that of an earlier one."""
        day = self._days[-1] if self._days else bar_of(priced.time, priced)._replace(volume=0)
        scale = max(tick.price_scale, priced.price_scale, day.price_scale)
        before = self._days[-2] if len(self._days) > 1 else day._replace(close=day.open)
        return Quote(
            time=tick.time,
            price_scale=scale,
            last=rescale(priced.last, priced.price_scale, scale),
            bid=rescale(tick.bid, tick.price_scale, scale),
            ask=rescale(tick.ask, tick.price_scale, scale),
            open=rescale(day.open, day.price_scale, scale),
            high=rescale(day.high, day.price_scale, scale),
            low=rescale(day.low, day.price_scale, scale),
            previous_close=rescale(before.close, before.price_scale, scale),
            volume_scale=day.volume_scale,
            volume=day.volume,
            pushed=True,
        )

    def bars(self, resolution: Resolution, since: int | None) -> list[ScaledBar]:
        """The bars from the one at `since` on; None: only the newest."""
        source = Resolution.MINUTE_1 if resolution.minutes else Resolution.DAY
        finer = self._minutes if resolution.minutes else self._days
        if not finer:
            return []
        start = self._period(resolution, finer[-1].time) if since is None else since
        wanted = finer[bisect_left(finer, start, key=lambda bar: bar.time) :]
        return list(aggregate(wanted, self._schedule, source, resolution))

    def _period(self, resolution: Resolution, time: int) -> int:
        """The time of the bar that holds a minute or a day."""
        if resolution.minutes:
            return span_at(self._schedule, resolution, time).time
        return midnight(period_start(date_of(time), resolution))


def _take(bars: list[ScaledBar], time: int | None, tick: Tick, most: int) -> None:
    if time is None:
        return
    if bars and bars[-1].time == time:
        bars[-1] = joined(bars[-1], bar_of(time, tick))
        return
    bars.append(bar_of(time, tick))
    if len(bars) > 2 * most:
        del bars[:-most]
