"""A datafeed by a clock that tests move, and topics that keep what they are told."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from trading_api.models.market import Bar, BarsSubscription, QuoteData, QuotesSubscription
from trading_api.modules.datafeed.bars.bar_store import BarStore
from trading_api.modules.datafeed.feed.live import LiveFeed
from trading_api.modules.datafeed.feed.quoted import quoted
from trading_api.modules.datafeed.feed.simulator import Simulator
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.instruments.directory import open_directory
from trading_api.modules.datafeed.service import DatafeedService
from trading_api.shared.ws import AnyTopic

CATALOGUE = {instrument.name: instrument for instrument in load_catalogue()}
BTC, AAPL = CATALOGUE["BTCUSD"], CATALOGUE["AAPL"]
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
SIMULATOR = Simulator()


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-03-18T15:00:10")


@dataclass
class Recorder:
    """A topic that keeps what is published."""

    name: str
    request: QuotesSubscription | BarsSubscription
    published: list[tuple[str, Any]] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    failing: bool = False

    def publish(self, data: Any, *, key: str = "", seq: int | None = None) -> None:
        assert seq is None
        if self.failing:
            raise RuntimeError("broken")
        self.published.append((key, data))

    def publish_json(self, data: bytes, *, key: str = "") -> None:
        self.publish(QuoteData.model_validate_json(data), key=key)
        self.texts.append(data)

    def take(self) -> list[tuple[str, Any]]:
        """What came since the last call."""
        taken, self.published = self.published, []
        return taken

    def bars(self) -> list[Bar]:
        return [bar for _, bar in self.take()]


class Bench:
    """A datafeed whose clock stands still until it is moved. One of them lives in one event loop."""

    def __init__(self, store: BarStore, source: FeedSource = SIMULATOR) -> None:
        self.now = NOW
        self.slept: list[float] = []
        self.waiting: asyncio.Future[None] | None = None
        directory = open_directory(store.engine)
        find = partial(quoted, directory, source)
        self.feed = LiveFeed(source, clock=lambda: self.now, sleep=self._sleep, find=find)
        self.service = DatafeedService(store, directory, self.feed)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.waiting = asyncio.get_running_loop().create_future()
        await self.waiting

    async def at(self, now: int) -> None:
        self.now = now
        await self.feed.step()

    async def subscribe(self, request: QuotesSubscription | BarsSubscription, name: str = "t") -> Recorder:
        recorder = Recorder(name, request)
        await self.service.create_topic(cast("AnyTopic", recorder))
        return recorder

    async def unsubscribe(self, recorder: Recorder) -> None:
        await self.service.remove_topic(cast("AnyTopic", recorder))


def bars(symbol: str, resolution: str = "1") -> BarsSubscription:
    return BarsSubscription(symbol=symbol, resolution=resolution)


def quotes(*fast: str, slow: tuple[str, ...] = ()) -> QuotesSubscription:
    return QuotesSubscription(fast_symbols=list(fast), symbols=list(slow))


def run(store: BarStore, test: Any) -> Bench:
    """Run `test(bench)` in a loop, and see that nothing of the feed is left in it."""

    async def main() -> Bench:
        bench = Bench(store)
        await test(bench)
        await bench.service.shutdown()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return bench

    return asyncio.run(main())
