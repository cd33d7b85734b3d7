"""The `simulated` feed: a pure function of seed, symbol and time, so every process tells the same, storing nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.price_unit import price_unit
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.session_shelf import SessionShelf
from trading_api.modules.datafeed.feed.simulated_market import TICK_MS, SimulatedMarket
from trading_api.modules.datafeed.feed.simulated_series import SimulatedSeries
from trading_api.modules.datafeed.feed.source import MAX_MISSED
from trading_api.modules.datafeed.feed.spans import BarSpan
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

DEFAULT_SEED = 1


class Simulator:
    """The `simulated` feed source. Where it stands is the time of day, ms UTC."""

    plays_store = False
    step_ms = TICK_MS
    problem = ""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        shelf = SessionShelf()
        self._market = lru_cache(maxsize=1024)(lambda instrument: SimulatedMarket(seed, instrument, shelf))

    async def start(self, wake: Callable[[], None]) -> None:
        """There is nothing to begin: all is computed."""

    async def stop(self) -> None:
        """Nor to end."""

    def moment(self, wall: int) -> int:
        """The time itself."""
        return wall

    def covers(self, instrument: Instrument) -> bool:
        """All but symbols whose price step is no decimal number."""
        return price_unit(instrument) is not None

    def ready(self, instruments: Collection[Instrument], wall: int) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def prepare(self, instruments: Collection[Instrument], wall: int) -> None:
        """Nothing is needed."""

    def changed(self, since: int) -> None:
        """All that are open."""

    def quote(self, instrument: Instrument, moment: int) -> Quote:
        """The quote in force at a time."""
        return self._market(instrument).quote(moment)

    def bar(self, instrument: Instrument, span: BarSpan, time: int) -> ScaledBar:
        """The bar over the ticks of `span` up to `time`. Raises ValueError when the span has not begun."""
        return self._market(instrument).bar(span, time)

    def bars(
        self, instrument: Instrument, resolution: Resolution, since: int | None, moment: int
    ) -> Sequence[ScaledBar]:
        """The bars as they stand at a time, from the one at `since` on."""
        series = self.series(instrument, resolution, moment)
        newest = series.newest(end=None, limit=1)
        if since is None or not newest or newest[0].time < since:
            return newest if since is None else []
        found = series.between(start=since, end=newest[0].time, limit=MAX_MISSED) if newest[0].time > since else []
        return [*found, *newest]

    def resolutions(self, instrument: Instrument) -> tuple[Resolution, ...]:
        """All of them."""
        return tuple(Resolution) if self.covers(instrument) else ()

    def series(self, instrument: Instrument, resolution: Resolution, wall: int) -> SimulatedSeries:
        """Bars from the first simulated day on."""
        return SimulatedSeries(self._market(instrument), resolution, wall)
