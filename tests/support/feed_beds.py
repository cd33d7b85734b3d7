"""Feeds of every kind on a store of their own, brought to any time of the market; for the conformance suite."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

from support.datafeed_bars import put

from trading_api.feed_settings import FeedSettings
from trading_api.models.market import PushedQuote
from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.feed.manual import ManualFeed
from trading_api.modules.datafeed.feed.replay import ReplayFeed
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.simulator import Simulator
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.feed.tick_store import TickStore
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.bus import MemoryBus

KINDS = ("simulated", "replay", "manual")
CATALOGUE = {instrument.name: instrument for instrument in load_catalogue()}
SYMBOLS = ("AAPL", "BTCUSD", "ES")
WALL = 1_900_000_000_000
"""When a replay begins, by the wall clock."""
MARKET = Simulator(seed=7)
"""Where the prices of replayed bars come from; any would do."""


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# The Sunday before is the change to summer time in New York.
START, END = ms("2024-03-08T00:00:00"), ms("2024-03-14T00:00:00")


@dataclass
class FeedBed:
    """A feed that stands at a time of the market, and how to move it there."""

    kind: str
    store: BarStore
    source: FeedSource
    time: int = START
    pushed: dict[str, int] = field(default_factory=dict)

    def go(self, time: int, *instruments: Instrument) -> int:
        """Let it be `time` for these, who are prepared; what to ask the source with."""
        for instrument in instruments:
            self._push(instrument, time)
        self.time = time
        self.source.prepare(instruments, self.wall)
        return self.source.moment(self.wall)

    @property
    def wall(self) -> int:
        return WALL + self.time - START if self.kind == "replay" else self.time

    def another(self) -> FeedSource:
        """What a second process on the same store has."""
        return _source(self.kind, self.store)

    def _push(self, instrument: Instrument, time: int) -> None:
        """Push the prices of the market since the last time, in and out of sessions, one in two minutes."""
        if not isinstance(self.source, ManualFeed):
            return
        schedule, quotes = Schedule.of(instrument), list[PushedQuote]()
        for at in range(self.pushed.get(instrument.name, self.time), time + 1, 113_000):
            window = schedule.latest(at)
            if at < window.end or at % 5 == 0:
                quotes.append(_pushed(instrument, at))
            self.pushed[instrument.name] = at + 113_000
        for first in range(0, len(quotes), 1000):
            asyncio.run(self.source.push(quotes[first : first + 1000]))


@cache
def _pushed(instrument: Instrument, at: int) -> PushedQuote:
    """Any price on tick, near that of a moment before."""
    chance = Random(f"{instrument.name} {at}")
    bid = (20_000 + at // 60_000 % 500 + chance.randrange(40)) * instrument.tick
    ask = bid + chance.randint(1, 4) * instrument.tick
    last = chance.choice((bid, ask, None))
    return PushedQuote(
        symbol=instrument.name, bid=bid, ask=ask, last=last, volume=Decimal(chance.randrange(5)), time=at
    )


@contextmanager
def feed_bed(kind: str, folder: Path) -> Iterator[FeedBed]:
    """A feed of a kind, and what it plays: minutes of AAPL and BTCUSD, days of ES."""
    path = folder / "trading.db"
    if kind == "replay":
        path.write_bytes(_file_of_bars())
    with closing(open_store(f"sqlite:///{path}")) as store:
        bed = FeedBed(kind, store, _source(kind, store))
        bed.source.prepare((), bed.wall)
        yield bed
        asyncio.run(bed.source.stop())


@cache
def _file_of_bars() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.db"
        with closing(open_store(f"sqlite:///{path}")) as store:
            for symbol in SYMBOLS:
                resolution = Resolution.DAY if symbol == "ES" else Resolution.MINUTE_1
                series = MARKET.series(CATALOGUE[symbol], resolution, END)
                put(store, resolution, series.between(start=START, end=END, limit=10**6), CATALOGUE[symbol])
        return path.read_bytes()


def _source(kind: str, store: BarStore) -> FeedSource:
    if kind == "simulated":
        return Simulator(seed=7)
    if kind == "manual":
        return ManualFeed(TickStore(store.engine), MemoryBus(), CATALOGUE.get, lambda: END)
    settings = FeedSettings(kind="replay", start=datetime.fromtimestamp(START / 1000, UTC))
    return ReplayFeed(store.engine, store, settings, CATALOGUE.get)
