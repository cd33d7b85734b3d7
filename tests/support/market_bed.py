"""A broker's market on scripted datafeeds, all in one event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from support.scripted_datafeed import ScriptedDatafeed, scripted_datafeed

from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.link.backoff import Backoff
from trading_api.modules.broker.link.quotes_link import QuotesLink
from trading_api.modules.broker.market.linked_market import LinkedMarket

# For tests of what is answered, however busy the machine; those of what is not answered take the usual LOOK_S.
AT_LEISURE_S = 50.0


class MarketBed:
    """`clock` is monotonic, and may be set forward by `skip`; `seen` are the views that were told."""

    def __init__(self, *feeds: ScriptedDatafeed, stale_quote_s: float = 60.0, look_s: float = AT_LEISURE_S) -> None:
        self.feeds = feeds
        self.skipped = 0.0
        link = QuotesLink([feed.url for feed in feeds], backoff=Backoff(lambda: 0.0))
        self.market = LinkedMarket(link, stale_quote_s=stale_quote_s, look_s=look_s, clock=self.clock, sleep=_sleep)
        self.seen: list[MarketView] = []
        self.market.on_market(self.seen.append)

    @property
    def feed(self) -> ScriptedDatafeed:
        return self.feeds[0]

    def clock(self) -> float:
        return time.monotonic() + self.skipped

    def skip(self, seconds: float) -> None:
        """Time passes, for the market and for the feeds."""
        self.skipped += seconds
        for feed in self.feeds:
            before = feed.clock
            feed.clock = lambda before=before: before() + round(seconds * 1000)  # type: ignore[misc]

    def view(self, symbol: str) -> MarketView:
        view = self.market.view(symbol)
        assert view is not None, symbol
        return view

    def bids(self, symbol: str) -> list[str]:
        """The bids that were told of a symbol, each change once."""
        told = [str(view.quote.bid) for view in self.seen if view.instrument.symbol == symbol and view.quote]
        return [bid for at, bid in enumerate(told) if at == 0 or told[at - 1] != bid]


async def _sleep(seconds: float) -> None:
    """The market looks after itself twenty times as often as usual."""
    await asyncio.sleep(seconds / 20)


async def soon(condition: Callable[[], object], what: str = "it", timeout: float = 60.0) -> None:
    """Wait for a condition, polled."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"gave up after {timeout} s waiting for {what}"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def market_bed(
    feeds: int = 1, stale_quote_s: float = 60.0, look_s: float = AT_LEISURE_S
) -> AsyncIterator[MarketBed]:
    """A market that is started, on feeds with AAPL (100.01, 100.03)."""
    if feeds == 0:
        yield MarketBed()
        return
    async with scripted_datafeed() as feed, market_bed_rest(feeds - 1) as others:
        bed = MarketBed(feed, *others, stale_quote_s=stale_quote_s, look_s=look_s)
        for each in bed.feeds:
            each.list_symbol("AAPL", 100.01, 100.03)
        bed.market.start()
        try:
            yield bed
        finally:
            await bed.market.stop()


@asynccontextmanager
async def market_bed_rest(count: int) -> AsyncIterator[tuple[ScriptedDatafeed, ...]]:
    if not count:
        yield ()
        return
    async with scripted_datafeed() as feed, market_bed_rest(count - 1) as others:
        yield (feed, *others)


def run(
    test: Callable[[MarketBed], Awaitable[None]],
    feeds: int = 1,
    stale_quote_s: float = 60.0,
    look_s: float = AT_LEISURE_S,
) -> None:
    """Run a test on a bed, and see that nothing is left running."""

    async def main() -> None:
        async with asyncio.timeout(100), market_bed(feeds, stale_quote_s, look_s) as bed:
            await test(bed)
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, left

    asyncio.run(main())
