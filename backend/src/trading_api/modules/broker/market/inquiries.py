"""Asks the datafeed what is not known, or not any more, and notes the answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import inf

from trading_api.modules.broker.market.datafeed import MAX_QUOTES, Datafeed
from trading_api.modules.broker.market.feed_clock import FeedClock
from trading_api.modules.broker.market.listing import Listing
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol

logger = logging.getLogger(__name__)

# How old they may become before they are read again, seconds.
_INSTRUMENT_S, _HOURS_S = 300.0, 5.0
# Until it is known how fast the feed's clock runs.
_UNSURE_S = 1.0
# So long after the last answer that told of the clock and the catalogue there is to be another one.
_HEAR_S = 0.9
# Of what is only read again, so many a round: they would be two hundred a second for a thousand symbols.
_ROUTINE = 20
# Questions of a round that are under way at once; those who look must not wait for them.
_AT_ONCE = 4
# Prices of many symbols: a request of so many is answered in some hundredths of a second, two keep a datafeed busy.
_BATCH, _BATCHES_AT_ONCE = MAX_QUOTES // 2, 2
# So many symbols are asked for the clock before it is given up: one may be unknown, or broken.
_CLOCKS = 8
_NO_CLOCK = "The datafeed does not tell its time."
Question = Callable[[Listing], Awaitable[None]]


class Inquiries:
    """What it learns it writes into the listings and the clock, and tells of each listing by `on_news`."""

    def __init__(
        self, datafeed: Datafeed, feed_clock: FeedClock, on_news: Callable[[Listing], None], clock: Callable[[], float]
    ) -> None:
        """`clock` tells monotonic seconds."""
        self._datafeed = datafeed
        self._feed_clock = feed_clock
        self._on_news = on_news
        self._clock = clock
        self._catalogue = ""
        self._has_changed = False

    async def instrument(self, listing: Listing) -> None:
        """Read the grids. Raises UnknownSymbol, MarketUnavailable."""
        try:
            listing.instrument = await self._datafeed.instrument(listing.symbol)
        except UnknownSymbol:
            listing.gone, listing.instrument_at = True, self._clock()
            listing.forget_quote(self._clock())
            raise
        listing.gone, listing.instrument_at = False, self._clock()

    async def hours(self, listing: Listing) -> None:
        """Read the session and the clock. Raises UnknownSymbol, MarketUnavailable."""
        asked = self._clock()
        try:
            reading = await self._datafeed.hours(listing.symbol)
        finally:
            listing.hours_at = self._clock()
        listing.hours = reading.hours
        self._compare(reading.catalogue)
        self._feed_clock.hear(reading.time_ms, asked, listing.hours_at)
        self._on_news(listing)

    async def learn(self, listing: Listing) -> None:
        """Read what a view needs and is not known, or not any more. Raises UnknownSymbol, MarketUnavailable."""
        unusable: MarketUnavailable | None = None
        if _lacks_instrument(listing):
            try:
                await self.instrument(listing)
            except MarketUnavailable as error:
                if not error.answered:
                    raise
                unusable = error
        if self._lacks_hours(listing):
            await self.hours(listing)
        else:
            # It was the grids that were missing for a view.
            self._on_news(listing)
        if unusable is not None:
            raise unusable

    def lacks(self, listing: Listing) -> bool:
        """Whether there is something to learn of it."""
        return _lacks_instrument(listing) or self._lacks_hours(listing)

    async def prices(self, listings: Sequence[Listing]) -> None:
        """Read the quotes of many symbols, whatever else is known of them. Raises MarketUnavailable when some fail."""
        if listings and self._feed_clock.now(self._clock()) is None:
            await self._hear_clock(listings)
        room = asyncio.Semaphore(_BATCHES_AT_ONCE)

        async def ask(batch: Sequence[Listing]) -> None:
            async with room:
                await self.quotes(batch)

        batches = [listings[first : first + _BATCH] for first in range(0, len(listings), _BATCH)]
        for result in await asyncio.gather(*map(ask, batches), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def quotes(self, listings: Sequence[Listing]) -> None:
        """Read the quotes of up to MAX_QUOTES symbols. Raises MarketUnavailable."""
        asked = self._clock()
        by_name = {each.symbol: each for each in listings}
        for reading in await self._datafeed.quotes(list(by_name)):
            listing, now_ms = by_name.get(reading.symbol), self._feed_clock.now(self._clock())
            # What was streamed meanwhile may be newer.
            if listing is None or now_ms is None or listing.heard_at > asked:
                continue
            if listing.take(reading, now_ms, self._clock()):
                self._on_news(listing)

    async def round(self, listings: Sequence[Listing], is_lacking: Callable[[Listing], bool]) -> None:
        """Ask again what has become old; `is_lacking` says of which quotes it is not known, or not sure, what they are.

        Once a second at least it learns whether the instruments are other ones, and then all are to be learned anew.
        Ends early when the datafeed is away: the next round is not far.
        """
        try:
            await _ask(self._questions(listings, self._clock()))
            if self._has_changed:
                self._has_changed = False
                for each in listings:
                    each.instrument_at = each.hours_at = -inf
            await self.prices([each for each in listings if is_lacking(each)])
        except MarketUnavailable as error:
            logger.debug("what the market is like could not be asked: %s", error)

    async def _hear_clock(self, listings: Iterable[Listing]) -> None:
        """One symbol's hours tell the time that every quote needs."""
        for each in islice(listings, _CLOCKS):
            try:
                await self.hours(each)
            except UnknownSymbol:
                continue
            except MarketUnavailable as unavailable:
                if not unavailable.answered:
                    raise
            else:
                return
        raise MarketUnavailable(_NO_CLOCK, answered=True)

    def _questions(self, listings: Sequence[Listing], at: float) -> Iterator[tuple[Question, Listing]]:
        told = [each for each in listings if not self.lacks(each)]
        for each in _old(told, _instrument_at, _INSTRUMENT_S, at):
            yield self.instrument, each
        due = _old(told, _hours_at, _HOURS_S if self._feed_clock.is_sure else _UNSURE_S, at)
        known = [each for each in listings if each.is_known and not each.gone]
        if not due and known and at - max(map(_hours_at, known)) > _HEAR_S:
            due = [min(known, key=_hours_at)]
        for each in due:
            yield self.hours, each

    def _compare(self, catalogue: str) -> None:
        """The datafeed says how its instruments are called now."""
        if catalogue:
            self._has_changed |= self._catalogue not in ("", catalogue)
            self._catalogue = catalogue

    def _lacks_hours(self, listing: Listing) -> bool:
        now_ms = self._feed_clock.now(self._clock())
        return _hours_at(listing) == -inf or listing.hours is None or now_ms is None or listing.hours.is_over(now_ms)


async def _ask(questions: Iterable[tuple[Question, Listing]]) -> None:
    """A symbol that cannot be told of keeps no other from it. Raises MarketUnavailable when so many cannot."""
    room, failures = asyncio.Semaphore(_AT_ONCE), list[MarketUnavailable]()

    async def ask(question: Question, listing: Listing) -> None:
        async with room:
            if len(failures) >= _AT_ONCE:
                return
            try:
                await question(listing)
            except UnknownSymbol:
                pass
            except MarketUnavailable as error:
                failures.append(error)

    async with asyncio.TaskGroup() as group:
        for question, listing in questions:
            group.create_task(ask(question, listing))
    if len(failures) >= _AT_ONCE:
        raise failures[0]


def _old(
    listings: Iterable[Listing], read_at: Callable[[Listing], float], longest_s: float, at: float
) -> list[Listing]:
    """A few of those whose reading has become old, the oldest first."""
    return sorted((each for each in listings if at - read_at(each) > longest_s), key=read_at)[:_ROUTINE]


def _lacks_instrument(listing: Listing) -> bool:
    return listing.instrument is None or listing.instrument_at == -inf


def _instrument_at(listing: Listing) -> float:
    return listing.instrument_at


def _hours_at(listing: Listing) -> float:
    return listing.hours_at
