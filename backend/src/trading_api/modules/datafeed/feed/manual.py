"""The `manual` feed: quotes that tests push. They are stored, and every instance reads them in the same order."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence

from trading_api.models.market import PushedQuote
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.clock import wall_clock
from trading_api.modules.datafeed.feed.price_unit import price_unit
from trading_api.modules.datafeed.feed.pushed_market import PushedMarket
from trading_api.modules.datafeed.feed.pushed_series import PushedSeries
from trading_api.modules.datafeed.feed.pushing import Find, PushError, late_problem, make_ticks
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.tick_store import TickOrderError, TickStore
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.bus import Bus, BusError, Message

logger = logging.getLogger(__name__)

SUBJECT = "datafeed.manual"
"""On it an instance tells the others that there are new ticks. They read them from the store."""
BUS_LOST = "The bus is away, so pushed quotes reach other instances up to a second late."


class ManualFeed:
    """The `manual` feed source. Where it stands is the number of the newest tick that it has read."""

    plays_store = False
    step_ms = 1000

    def __init__(self, ticks: TickStore, bus: Bus, find: Find, clock: Callable[[], int] = wall_clock) -> None:
        """`find` looks instruments up by name; `clock` tells ms UTC."""
        self._ticks = ticks
        self._bus = bus
        self._find = find
        self._clock = clock
        self._wake: Callable[[], None] = lambda: None
        self._seq = 0
        self._changed: dict[str, int] = {}
        self._markets: dict[str, tuple[Instrument, PushedMarket]] = {}
        # One thread reads at a time, which takes long; what it changes it changes under the other lock, at once.
        self._reading = threading.Lock()
        self._state = threading.Lock()

    @property
    def problem(self) -> str:
        """The bus is only a hint: without it, quotes are late."""
        return "" if self._bus.connected else BUS_LOST

    async def start(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        await self._bus.connect()
        await self._bus.subscribe(SUBJECT, self._told)
        self._bus.on_reconnect(self._reconnected)

    async def stop(self) -> None:
        await self._bus.close()

    def moment(self, wall: int) -> int:  # noqa: ARG002 - it moves with the ticks
        """The number of the newest tick that was read."""
        return self._seq

    def covers(self, instrument: Instrument) -> bool:
        """All but symbols whose price step is no decimal number."""
        return price_unit(instrument) is not None

    def ready(self, instruments: Collection[Instrument], wall: int) -> bool:  # noqa: ARG002
        """Whether there is something new is known to the store alone."""
        return False

    def prepare(self, instruments: Collection[Instrument], wall: int) -> None:  # noqa: ARG002
        """Read what is new."""
        with self._reading:
            self._catch_up()
            for instrument in instruments:
                known = self._markets.get(instrument.name)
                if known is None or known[0] != instrument:
                    self._load(instrument)

    def changed(self, since: int) -> Collection[str]:
        """Those of newer ticks."""
        with self._state:
            return [name for name, seq in self._changed.items() if seq > since]

    def quote(self, instrument: Instrument, moment: int) -> Quote | None:  # noqa: ARG002
        """The newest one that was pushed, whenever it was."""
        with self._state:
            known = self._markets.get(instrument.name)
            return known[1].quote() if known else None

    def bars(
        self,
        instrument: Instrument,
        resolution: Resolution,
        since: int | None,
        moment: int,  # noqa: ARG002
    ) -> Sequence[ScaledBar]:
        with self._state:
            known = self._markets.get(instrument.name)
            return known[1].bars(resolution, since) if known else []

    def resolutions(self, instrument: Instrument) -> tuple[Resolution, ...]:
        """All of them."""
        return tuple(Resolution) if self.covers(instrument) else ()

    def series(self, instrument: Instrument, resolution: Resolution, wall: int) -> PushedSeries:  # noqa: ARG002
        """Bars of everything that was ever pushed."""
        schedule = Schedule.of(instrument)
        return PushedSeries(self._ticks, instrument.name, schedule, resolution, self._ticks.newest())

    async def push(self, quotes: Sequence[PushedQuote]) -> int:
        """Store quotes, all or none, and tell every instance; the newest number. Raises PushError, StoreError."""
        seq = await asyncio.to_thread(self._store, quotes)
        self._wake()
        try:
            await self._bus.publish(SUBJECT, str(seq).encode())
        except BusError as error:
            logger.debug("the other instances find the new quotes by themselves: %s", error)
        return seq

    def _store(self, quotes: Sequence[PushedQuote]) -> int:
        ticks, problems = make_ticks(quotes, self._find, self._clock())
        untimed = frozenset(number for number, place in enumerate(ticks) if quotes[place].time is None)
        try:
            if not problems:
                return self._ticks.append(list(ticks.values()), untimed)
            # Nothing will be stored, but all that is wrong is to be told.
            self._ticks.check(list(ticks.values()), untimed)
        except TickOrderError as error:
            places = list(ticks)
            problems += [late_problem(places[number], newest) for number, newest in error.late.items()]
        raise PushError(problems)

    async def _told(self, message: Message) -> None:
        # Its own messages come back, when it has looked already.
        if not message.data.isdigit() or int(message.data) > self._seq:
            self._wake()

    async def _reconnected(self) -> None:
        self._wake()

    def _catch_up(self) -> None:
        """Give the new ticks to the markets that somebody wanted."""
        if not self._markets:
            self._seq = self._ticks.newest()
            return
        for stored in self._ticks.after(self._seq):
            with self._state:
                known = self._markets.get(stored.tick.symbol)
                if known is not None:
                    known[1].take(stored.tick)
                    self._changed[stored.tick.symbol] = stored.seq
                self._seq = stored.seq

    def _load(self, instrument: Instrument) -> None:
        """Read what is needed of the past of a symbol, up to where the feed stands."""
        market = PushedMarket(instrument)
        # What came after it without a price of its own needs no more of the past.
        newest = self._ticks.newest_priced(instrument.name, self._seq)
        if newest is not None:
            since = market.since(newest.time)
            for stored in self._ticks.after(0, symbol=instrument.name, since=since):
                if stored.seq > self._seq:
                    break
                market.take(stored.tick)
        with self._state:
            self._markets[instrument.name] = (instrument, market)
