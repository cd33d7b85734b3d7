"""The datafeed's work: symbols, history, quotes and live bars."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import cached_property

from trading_api.models.market import BarsSubscription, QuoteData, QuotesSubscription
from trading_api.modules.datafeed.catalogue import load_catalogue
from trading_api.modules.datafeed.directory import InstrumentDirectory
from trading_api.modules.datafeed.feed.board import no_quote, quote_data
from trading_api.modules.datafeed.feed.live import LiveFeed
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.simulator import Simulator
from trading_api.modules.datafeed.feed.streams import BarsStream, QuotesStream, Stream
from trading_api.modules.datafeed.history import Between, History, Newest, select_history
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution, in_order, parse_resolution
from trading_api.modules.datafeed.search import search
from trading_api.modules.datafeed.store import SeriesKey, Store, StoreError
from trading_api.shared.service import Service
from trading_api.shared.ws import AnyTopic, TopicRefused


class UnknownSymbolError(LookupError):
    """No instrument has this name."""

    def __init__(self) -> None:
        super().__init__("Symbol not found")


class ResolutionError(ValueError):
    """There are no bars of this resolution; the message says which there are, or why."""


class DatafeedService(Service):
    """Plain methods read the store and may block for as long as that takes: not for the event loop.

    They raise StoreError when the store cannot be read.
    """

    def __init__(self, store: Store, feed: LiveFeed | None = None) -> None:
        """`feed` makes quotes and live bars; by default they are simulated."""
        self._store = store
        self._feed = feed or LiveFeed(Simulator())

    @cached_property
    def directory(self) -> InstrumentDirectory:
        """Every instrument there is. Raises CatalogueError when the shipped file has been broken."""
        return InstrumentDirectory(load_catalogue(), self._store)

    async def startup(self) -> None:
        # A broken catalogue must fail the start-up, not the first request.
        _ = self.directory

    async def shutdown(self) -> None:
        await self._feed.stop()
        self._store.close()

    async def create_topic(self, topic: AnyTopic) -> None:
        """Begin a stream of quotes or bars. Raises TopicRefused for bars that cannot be streamed."""
        try:
            stream = await asyncio.to_thread(self._stream, topic)
        except StoreError as error:
            raise TopicRefused("The bar store cannot be read at the moment; try again later.") from error
        except (UnknownSymbolError, ResolutionError) as error:
            raise TopicRefused(str(error)) from error
        self._feed.add(topic.name, stream)

    async def remove_topic(self, topic: AnyTopic) -> None:
        """End a stream."""
        await self._feed.remove(topic.name)

    def instruments(self) -> list[Instrument]:
        """Shipped and imported ones."""
        return self.directory.all()

    def stored_resolutions(self) -> tuple[Resolution, ...]:
        """Those that at least one symbol has bars for, finest first."""
        return in_order(resolution for stored in self._store.resolutions().values() for resolution in stored)

    def search(self, text: str, *, exchange: str, symbol_type: str, limit: int) -> list[Instrument]:
        """The best `limit` matches, best first."""
        return search(self.instruments(), text, exchange=exchange, symbol_type=symbol_type, limit=limit)

    def resolve(self, symbol: str) -> tuple[Instrument, tuple[Resolution, ...]]:
        """An instrument by `NAME` or `EXCHANGE:NAME`, and the resolutions it has bars of. Raises UnknownSymbolError."""
        instrument = self.directory.find(symbol)
        if instrument is None:
            raise UnknownSymbolError
        return instrument, self._store.resolutions().get(instrument.name, ())

    def quotes(self, symbols: Sequence[str]) -> list[QuoteData]:
        """The quotes of now, in the order asked for; unknown symbols get an error of their own."""
        known, board = self._quoted(symbols), self._feed.board()
        return [
            quote_data(symbol, board.told(known[symbol]).values) if symbol in known else no_quote(symbol)
            for symbol in symbols
        ]

    def history(self, symbol: str, resolution: str, wanted: Between | Newest) -> History:
        """Bars of one symbol. Raises UnknownSymbolError, ResolutionError, RangeError."""
        instrument, stored = self.resolve(symbol)
        chosen = _parse(resolution)
        if chosen not in stored:
            offer = f"stored: {', '.join(stored)}" if stored else "no bars are stored for it yet; import some"
            raise ResolutionError(f"resolution {chosen} of {instrument.name} is not stored; {offer}")
        return select_history(self._store.series(SeriesKey(instrument.name, chosen)), wanted)

    def _stream(self, topic: AnyTopic) -> Stream:
        """What a topic's request asks for. Raises UnknownSymbolError, ResolutionError."""
        request = topic.request
        if isinstance(request, QuotesSubscription):
            return QuotesStream(topic, self._quoted([*request.fast_symbols, *request.symbols]))
        if isinstance(request, BarsSubscription):
            return self._bars_stream(topic, request)
        raise TypeError(f"{topic.name}: the datafeed has no such route")

    def _bars_stream(self, topic: AnyTopic, request: BarsSubscription) -> BarsStream:
        instrument, stored = self.resolve(request.symbol)
        resolution = _parse(request.resolution)
        if stored:
            # What streams must equal what history returns, and that is what was imported.
            raise ResolutionError(f"{instrument.name} has imported bars, which simulated ones must not continue")
        if not self._feed.source.covers(instrument):
            raise UnknownSymbolError
        return BarsStream(topic, instrument, Schedule.of(instrument), resolution)

    def _quoted(self, symbols: Iterable[str]) -> dict[str, Instrument]:
        """The instruments that have quotes, by the name they were asked for."""
        found = {symbol: self.directory.find(symbol) for symbol in dict.fromkeys(symbols)}
        return {symbol: one for symbol, one in found.items() if one is not None and self._feed.source.covers(one)}


def _parse(resolution: str) -> Resolution:
    try:
        return parse_resolution(resolution)
    except ValueError as error:
        raise ResolutionError(str(error)) from error
