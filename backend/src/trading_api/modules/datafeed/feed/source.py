"""What the live feed needs of whatever makes quotes (trading.md: simulated, replay, manual; later an exchange)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import SeriesReader
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

# More bars than this that began at once are due to a clock that was set, or to a machine that slept.
MAX_MISSED = 1000


class FeedSource(Protocol):
    """One kind of feed. `wall` is the time of the wall clock, ms UTC.

    `quote` and `bars` answer from memory, for they are asked in the event loop; what that takes is fetched by `prepare`
    in a thread. `moment` is where the feed stands: a number that grows with what it has to tell. For `simulated` it is
    the time of day and for `replay` that of the replayed market, ms UTC; for `manual` the number of the newest tick.
    """

    @property
    def plays_store(self) -> bool:
        """Whether quotes and live bars are those of the store, so that they go on from its history."""
        ...

    @property
    def step_ms(self) -> int:
        """How often there may be something new, ms of the wall clock."""
        ...

    @property
    def problem(self) -> str:
        """What is missing at the moment, for clients to read; empty if nothing is."""
        ...

    async def start(self, wake: Callable[[], None]) -> None:
        """Begin. `wake` is called in the event loop's thread when there is something new at another time."""
        ...

    async def stop(self) -> None:
        """End; also without a start."""
        ...

    def moment(self, wall: int) -> int:
        """Where the feed stands at a time of the wall clock."""
        ...

    def covers(self, instrument: Instrument) -> bool:
        """Whether there may be quotes of the instrument. May read the store; raises StoreError."""
        ...

    def ready(self, instruments: Collection[Instrument], wall: int) -> bool:
        """Whether `quote` and `bars` of these can answer for this time. At once, from memory."""
        ...

    def prepare(self, instruments: Collection[Instrument], wall: int) -> None:
        """Make it so, in any thread; may take as long as the store does. Raises StoreError."""
        ...

    def changed(self, since: int) -> Collection[str] | None:
        """The names of the symbols that anything has happened to since the feed stood at `since`; None: any of them."""
        ...

    def quote(self, instrument: Instrument, moment: int) -> Quote | None:
        """The quote in force; while the market is closed, the last one. None: there has been none yet."""
        ...

    def bars(
        self, instrument: Instrument, resolution: Resolution, since: int | None, moment: int
    ) -> Sequence[ScaledBar]:
        """The bars as they stand, from the one at `since` (a bar's time; None: only the newest), ascending.

        After a leap some in the middle may be missing: not more than MAX_MISSED are given before the newest.
        """
        ...

    def resolutions(self, instrument: Instrument) -> tuple[Resolution, ...]:
        """Which bars the feed itself has of an instrument, finest first."""
        ...

    def series(self, instrument: Instrument, resolution: Resolution, wall: int) -> SeriesReader:
        """Its history up to a time, the forming bar included. To be read in a thread; its methods raise StoreError."""
        ...
