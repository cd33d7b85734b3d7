"""The market as the datafeed tells it over the link."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import partial

from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.link.address import http_base
from trading_api.modules.broker.link.http_client import NO_ANSWER, HttpClient
from trading_api.modules.broker.link.quotes_link import NOT_DEPLOYED, QuotesLink
from trading_api.modules.broker.market.datafeed import Datafeed
from trading_api.modules.broker.market.feed_clock import FeedClock
from trading_api.modules.broker.market.inquiries import Inquiries
from trading_api.modules.broker.market.learning import Learning
from trading_api.modules.broker.market.listing import Freshness, Listing
from trading_api.modules.broker.market.listings import Listings
from trading_api.modules.broker.market.port import Listener, MarketUnavailable, PriceListener
from trading_api.modules.broker.market.quote_stream import QuoteStream
from trading_api.modules.broker.market.reading import QuoteReading

logger = logging.getLogger(__name__)

STALE_QUOTE_S = 60.0
"""A quote of an open market that was not told for so long is no price to trade at."""
UNLINKED_S = 5.0
"""Nor one that has been without a link behind it for longer than this."""
LOOK_S = 1.0
"""A look takes this long at most."""
_TICK_S = 1.0
# Watched symbols are told of at least every 5 s: after four seconds, at the next tick.
_TELL_S = 3.9
# A quote that is not streamed is as good for so long as one that was asked for just now.
_JUST_NOW_S = 1.0
_STOPS = "The broker stops."
_SLOW = "The datafeed is slow to answer."


class LinkedMarket:
    """The `Market` of a deployed datafeed. It starts and stops its link."""

    def __init__(
        self,
        link: QuotesLink,
        *,
        stale_quote_s: float = STALE_QUOTE_S,
        look_s: float = LOOK_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """A look takes `look_s` seconds at most. `clock` tells monotonic seconds, `sleep` takes seconds; tests bring
        their own."""
        self.link = link
        self._look_s = look_s
        self._freshness = Freshness(streamed_s=stale_quote_s, unlinked_s=UNLINKED_S)
        bases = [http_base(url) for url in link.urls]
        # Who looks at one symbol does not wait behind what is asked of all.
        self._looking_client, self._routine_client = (HttpClient(bases, timeout_s=look_s) for _ in range(2))
        self._clock = clock
        self._sleep = sleep
        self._feed_clock = FeedClock()
        self._listings = Listings()
        self._inquiries, self._routine = (
            Inquiries(Datafeed(client), self._feed_clock, self._tell, clock)
            for client in (self._looking_client, self._routine_client)
        )
        self._learning = Learning(self._routine)
        self._stream = QuoteStream(self._opened, self._quoted, clock)
        self._listeners: list[Listener] = []
        self._price_listeners: list[PriceListener] = []
        self._looks: dict[str, asyncio.Task[Listing]] = {}
        self._looking: set[asyncio.Task[Listing]] = set()
        self._ticking: asyncio.Task[None] | None = None
        self._round: asyncio.Task[None] | None = None
        self._stopped = False
        link.carry(self._stream)

    async def price(self, symbols: Collection[str]) -> None:
        """See Market."""
        self._require_feed()
        begun = self._clock()
        listings = [found for each in symbols if (found := self._listings.find(each)) is not None]
        try:
            await self._routine.prices([each for each in listings if self._is_lacking(each)])
        finally:
            # What is known already, and nobody was told by the answers.
            for each in listings:
                if each.told_at < begun:
                    self._tell(each)

    async def look(self, symbol: str) -> MarketView:
        """See Market."""
        spelling = symbol.strip().upper()
        listing = self._listings.find(spelling)
        if listing is not None and self._is_good(listing):
            self._listings.look_at(spelling, listing.symbol, self._clock())
        else:
            listing = await self._asked(spelling, listing)
        view = self._view(listing)
        assert view is not None, "it is known"
        return view

    def view(self, symbol: str) -> MarketView | None:
        """See Market."""
        listing = self._listings.find(symbol.strip().upper())
        return self._view(listing) if listing else None

    def now_ms(self) -> int | None:
        """See Market."""
        return self._feed_clock.now(self._clock())

    def watch(self, symbols: frozenset[str]) -> None:
        """See Market."""
        self._listings.watch(symbols)
        self._stream.want(self._listings.streamed())

    def hurry(self, symbol: str) -> None:
        """See Market."""
        listing = self._listings.find(symbol)
        if listing is not None and self.link.is_deployed and not self._stopped:
            self._learning.hurry(listing)

    def on_price(self, callback: PriceListener) -> None:
        """See Market."""
        self._price_listeners.append(callback)

    def on_market(self, callback: Listener) -> None:
        """See Market."""
        self._listeners.append(callback)

    def start(self) -> None:
        """See Market. Also after a stop."""
        self._stopped = False
        self.link.start()
        if self._ticking is None and self.link.is_deployed:
            self._ticking = asyncio.create_task(self._tick_on(), name="market")

    async def stop(self) -> None:
        """See Market."""
        self._stopped = True
        await self.link.stop()
        tasks = [task for task in (self._ticking, self._round, *self._looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._learning.stop()
        self._ticking = self._round = None
        self._looking_client.close()
        self._routine_client.close()

    async def _asked(self, spelling: str, known: Listing | None) -> Listing:
        """The listing of a symbol, once the datafeed has told; of one that is known also when it does not."""
        try:
            return await self._shared_look(spelling)
        except MarketUnavailable:
            if known is not None and known.is_known:
                return known
            raise

    async def _shared_look(self, spelling: str) -> Listing:
        """All who look at a symbol share one inquiry, which goes on when one of them leaves."""
        self._require_feed()
        task = self._looks.get(spelling)
        if task is None:
            task = self._looks[spelling] = asyncio.create_task(self._inquire(spelling), name="look")
            self._looking.add(task)
            task.add_done_callback(partial(self._looked, spelling))
        # To wait for it so is not to cancel it, nor to be canceled with it.
        done, _ = await asyncio.wait((task,), timeout=self._look_s)
        if not done:
            # The next one who looks does not inherit its failure.
            self._end_sharing(spelling, task)
            raise MarketUnavailable(_SLOW if self._looking_client.answers else NO_ANSWER)
        if task.cancelled():
            raise MarketUnavailable(_STOPS)
        return task.result()

    def _require_feed(self) -> None:
        if not self.link.is_deployed:
            raise MarketUnavailable(NOT_DEPLOYED, lasting=True)
        if self._stopped:
            raise MarketUnavailable(_STOPS)

    def _looked(self, spelling: str, task: asyncio.Task[Listing]) -> None:
        self._looking.discard(task)
        self._end_sharing(spelling, task)
        if not task.cancelled():
            # Read here, for nobody may wait for it any more.
            task.exception()

    def _end_sharing(self, spelling: str, task: asyncio.Task[Listing]) -> None:
        if self._looks.get(spelling) is task:
            del self._looks[spelling]

    async def _inquire(self, spelling: str) -> Listing:
        """Ask what is not known of a symbol. Raises UnknownSymbol, MarketUnavailable."""
        listing = self._listings.find(spelling)
        resolved = listing is None or listing.instrument is None or listing.gone
        if listing is None or resolved:
            listing = await self._resolved(spelling)
        self._stream.want(self._listings.streamed())
        if listing.hours is None or self._is_over(listing):
            await self._inquiries.hours(listing)
        if self._is_lacking(listing):
            await self._inquiries.quotes([listing])
        if resolved:
            # What else it takes for a view may have been told before.
            self._tell(listing)
        return listing

    async def _resolved(self, spelling: str) -> Listing:
        found = Listing(spelling)
        await self._inquiries.instrument(found)
        assert found.instrument is not None, "it was just read"
        listing = self._listings.look_at(spelling, found.instrument.symbol, self._clock())
        listing.instrument, listing.instrument_at, listing.gone = found.instrument, found.instrument_at, False
        return listing

    def _opened(self, url: str) -> None:
        for client in (self._looking_client, self._routine_client):
            client.prefer(http_base(url))

    def _quoted(self, reading: QuoteReading) -> None:
        """A quote came over the link."""
        listing, at = self._listings.find(reading.symbol), self._clock()
        now_ms = self._feed_clock.now(at)
        if listing is None or now_ms is None:
            # Of what nobody wants any more; or too early, and it is asked for with the hours.
            return
        if reading.prices is None and listing.quote is not None:
            # It may be gone.
            listing.instrument_at = float("-inf")
        if listing.take(reading, now_ms, at):
            self._tell(listing)

    def _is_good(self, listing: Listing) -> bool:
        """Whether what is known need not be asked for again."""
        return listing.is_known and not listing.gone and not self._is_over(listing) and not self._is_lacking(listing)

    def _is_over(self, listing: Listing) -> bool:
        now_ms = self._feed_clock.now(self._clock())
        return listing.hours is None or now_ms is None or listing.hours.is_over(now_ms)

    def _is_lacking(self, listing: Listing) -> bool:
        """Whether it is not known, or not sure, what the quote is."""
        at = self._clock()
        now_ms, lost_at = self._feed_clock.now(at), self._stream.lost_at(listing.symbol)
        if now_ms is None or not listing.is_heard or listing.is_stale(now_ms, at, lost_at, self._freshness):
            return True
        return lost_at is not None and at - max(lost_at, listing.heard_at) > _JUST_NOW_S

    def _view(self, listing: Listing) -> MarketView | None:
        at = self._clock()
        now_ms = self._feed_clock.now(at)
        if now_ms is None:
            return None
        return listing.view(now_ms, at, self._stream.lost_at(listing.symbol), self._freshness)

    def _tell(self, listing: Listing) -> None:
        view = self._view(listing)
        if view is not None:
            listing.told_at, listing.told_open = self._clock(), view.is_open
            self._call([partial(listener, view) for listener in self._listeners], listing.symbol)
        elif listing.is_heard:
            listing.told_at = self._clock()
            told = [partial(listener, listing.symbol, listing.quote) for listener in self._price_listeners]
            self._call(told, listing.symbol)

    def _call(self, told: Iterable[Callable[[], None]], symbol: str) -> None:
        for tell in told:
            try:
                tell()
            except Exception:  # The boundary to whoever listens: one that fails must not end the link.
                logger.exception("a listener to the market failed: %s", symbol)

    async def _tick_on(self) -> None:
        while True:
            try:
                self._tick()
            except Exception:  # The boundary of the task: orders must not wait for ever for what failed once.
                logger.exception("the market was not looked after for a moment")
            await self._sleep(_TICK_S)

    def _tick(self) -> None:
        at = self._clock()
        self._listings.forget(at)
        self._stream.want(self._listings.streamed())
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._ask_round(), name="market round")
        for listing in self._listings.watched():
            if at - listing.told_at > _TELL_S or self._has_turned(listing):
                self._tell(listing)

    async def _ask_round(self) -> None:
        try:
            await self._routine.round(list(self._listings), self._is_lacking)
            self._learning.begin(self._listings)
        except Exception:  # As above: the next round is not far.
            logger.exception("what the market is like could not be asked")

    def _has_turned(self, listing: Listing) -> bool:
        """Whether the market has opened or closed since it was told of."""
        now_ms = self._feed_clock.now(self._clock())
        return listing.hours is not None and now_ms is not None and listing.hours.is_open(now_ms) != listing.told_open
