"""The market on a real datafeed of quotes that are pushed (D03)."""

import asyncio
import signal
import time
from decimal import Decimal
from pathlib import Path

import pytest
from support.datafeed_instances import Instance, instances
from support.market_bed import soon

from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.link.quotes_link import QuotesLink
from trading_api.modules.broker.market.linked_market import LinkedMarket
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol

pytestmark = pytest.mark.integration

DAY_MS = 86_400_000


def test_D03_the_market_is_what_a_real_datafeed_says(tmp_path: Path) -> None:
    with instances(tmp_path, 1, TRADING_FEED_KIND="manual", TRADING_DEBUG_ROUTES="1") as (datafeed,):
        datafeed.push({"symbol": "BTCUSD", "bid": 0.29, "ask": 0.31})
        asyncio.run(follow(datafeed))


async def follow(datafeed: Instance) -> None:
    market = LinkedMarket(QuotesLink([f"ws://127.0.0.1:{datafeed.port}/api/v1/datafeed/ws"]))
    seen: list[MarketView] = []
    market.on_market(seen.append)
    market.watch(frozenset({"BTCUSD"}))
    market.start()
    try:
        async with asyncio.timeout(60):
            await look(market)
            await soon(lambda: market.link.state.status == 1 and seen)
            await quotes(datafeed, market, seen)
            await a_datafeed_that_hangs(datafeed, market)
    finally:
        await market.stop()


async def look(market: LinkedMarket) -> None:
    """Grids, hours and quotes, and none of those that there are not."""
    view = await market.look("crypto:btcusd")
    assert (view.instrument.symbol, view.instrument.tick, view.instrument.step) == (
        "BTCUSD",
        Decimal("0.01"),
        Decimal("0.0001"),
    )
    assert view.tradable is not None
    assert (view.tradable.bid, view.tradable.ask) == (Decimal("0.29"), Decimal("0.31"))
    assert view.session_end_ms == view.now_ms // DAY_MS * DAY_MS + DAY_MS
    assert abs(view.now_ms - time.time() * 1000) < 20_000
    assert 0 <= view.now_ms - view.tradable.time_ms < 30_000, "its own time"
    assert (await market.look("ES")).quote is None
    for unknown in ("NOPE", "NYSE:AAPL", "a b", "..", "."):
        with pytest.raises(UnknownSymbol):
            await market.look(unknown)


async def quotes(datafeed: Instance, market: LinkedMarket, seen: list[MarketView]) -> None:
    """Each that is pushed is told; one that was made long ago is stale."""
    await asyncio.to_thread(datafeed.push, {"symbol": "BTCUSD", "bid": 100.1, "ask": 100.2})
    await soon(lambda: any(view.tradable and view.tradable.ask == Decimal("100.2") for view in seen))
    old = market_ms(market) - 61_000
    await asyncio.to_thread(datafeed.push, {"symbol": "ES", "bid": 5000.25, "ask": 5000.5, "time": old})
    await soon(lambda: (view := market.view("ES")) and view.quote)
    view = await market.look("ES")
    assert view.quote is not None
    assert view.quote.time_ms == old
    assert view.stale == view.is_open, "in a closed market there is no newer one"


async def a_datafeed_that_hangs(datafeed: Instance, market: LinkedMarket) -> None:
    """What is known is told, and what is not known is unavailable within about a second."""
    assert datafeed._process is not None
    datafeed._process.send_signal(signal.SIGSTOP)
    try:
        assert (await market.look("BTCUSD")).tradable
        begun = time.monotonic()
        with pytest.raises(MarketUnavailable, match="does not answer"):
            await market.look("MSFT")
        assert time.monotonic() - begun < 20
    finally:
        datafeed._process.send_signal(signal.SIGCONT)


def market_ms(market: LinkedMarket) -> int:
    view = market.view("BTCUSD")
    assert view is not None
    return view.now_ms
