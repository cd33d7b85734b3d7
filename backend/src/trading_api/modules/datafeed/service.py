"""The datafeed's work: symbols, history, quotes and live bars."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from trading_api.models.market import BarsSubscription, PushedQuote, PushedQuotes, QuoteData, QuotesSubscription
from trading_api.modules.datafeed.bars.history import Between, History, Newest, SeriesReader, select_history
from trading_api.modules.datafeed.bars.store import SeriesKey, Store, StoreError
from trading_api.modules.datafeed.bars.texts import texts_of
from trading_api.modules.datafeed.feed.board import no_quote, quote_data
from trading_api.modules.datafeed.feed.live import LiveFeed
from trading_api.modules.datafeed.feed.quoted import quoted
from trading_api.modules.datafeed.feed.streams import BarsStream, QuotesStream, Stream
from trading_api.modules.datafeed.instruments.directory import InstrumentDirectory
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution, parse_resolution
from trading_api.modules.datafeed.store_watch import StoreWatch
from trading_api.modules.datafeed.unknown_symbol import UnknownSymbolError
from trading_api.shared.service import Service, ServiceHealth
from trading_api.shared.ws import AnyTopic, TopicRefused


class ResolutionError(ValueError):
    """There are no bars of this resolution; the message says which there are, or why."""


class NotManualError(RuntimeError):
    """The feed makes its quotes itself."""


@runtime_checkable
class Pushable(Protocol):
    """A feed that is pushed."""

    async def push(self, quotes: Sequence[PushedQuote]) -> int:
        """Store quotes; the number of the newest."""
        ...


class DatafeedService(Service):
    """Plain methods read the store and may block for as long as that takes: not for the event loop.

    They raise StoreError when the store cannot be read.
    """

    def __init__(
        self,
        store: Store,
        directory: InstrumentDirectory,
        feed: LiveFeed,
        upgrade: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """`directory` knows every instrument there is; `feed` makes quotes and live bars; `upgrade`: see StoreWatch."""
        self.directory = directory
        self.feed = feed
        self._store = store
        self._source = feed.source
        self._watch = StoreWatch(store, upgrade)

    async def startup(self) -> None:
        self._watch.start()
        await self.feed.start()

    async def shutdown(self) -> None:
        await self.feed.stop()
        await self._watch.stop()
        self._store.close()

    def health(self) -> ServiceHealth:
        """Degraded while the store cannot be read, or the feed lacks what it needs."""
        problem = self._watch.problem or self.feed.problem
        return ServiceHealth("degraded", problem) if problem else super().health()

    async def create_topic(self, topic: AnyTopic) -> None:
        """Begin a stream of quotes or bars. Raises TopicRefused for bars that cannot be streamed."""
        try:
            stream = await asyncio.to_thread(self._stream, topic)
        except StoreError as error:
            raise TopicRefused("The bar store cannot be read at the moment; try again later.") from error
        except UnknownSymbolError as error:
            raise TopicRefused(error.text) from error
        except ResolutionError as error:
            raise TopicRefused(str(error)) from error
        self.feed.add(topic.name, stream)

    async def remove_topic(self, topic: AnyTopic) -> None:
        """End a stream."""
        await self.feed.remove(topic.name)

    def instruments(self) -> list[Instrument]:
        """Shipped and imported ones."""
        return self.directory.all()

    def search(self, text: str, *, exchange: str, symbol_type: str, limit: int) -> list[Instrument]:
        """The best `limit` matches, best first."""
        return self.directory.search(text, exchange=exchange, symbol_type=symbol_type, limit=limit)

    def resolve(self, symbol: str) -> Instrument:
        """An instrument by `NAME` or `EXCHANGE:NAME`. Raises UnknownSymbolError."""
        instrument = self.directory.find(symbol)
        if instrument is None:
            raise UnknownSymbolError(symbol)
        return instrument

    def offered(self, instrument: Instrument) -> tuple[Resolution, ...]:
        """The resolutions that `history` answers at, finest first: what is stored, else what the feed itself has."""
        return self._stored(instrument) or self._source.resolutions(instrument)

    def streams_bars(self, instrument: Instrument) -> bool:
        """Whether there are live bars, that is such as go on from the instrument's history."""
        return (self._source.plays_store or not self._stored(instrument)) and self._source.covers(instrument)

    def quotes(self, symbols: Sequence[str]) -> list[QuoteData]:
        """The quotes of now, in the order asked for; unknown symbols get an error of their own."""
        known = quoted(self.directory, self._source, symbols)
        board = self.feed.fresh_board(known.values())
        return [
            quote_data(symbol, board.told(known[symbol])) if symbol in known else no_quote(symbol) for symbol in symbols
        ]

    async def push(self, quotes: Sequence[PushedQuote]) -> PushedQuotes:
        """Store quotes of a feed of kind `manual`. Raises PushError with all problems, NotManualError, StoreError."""
        if not isinstance(self._source, Pushable):
            raise NotManualError("quotes can be pushed into a feed of kind manual only")
        return PushedQuotes(stored=len(quotes), seq=await self._source.push(quotes))

    def history(self, symbol: str, resolution: str, wanted: Between | Newest) -> History:
        """Bars of one symbol. Raises UnknownSymbolError, ResolutionError, RangeError."""
        instrument = self.resolve(symbol)
        return select_history(texts_of(self._series(instrument, _parse(resolution))), wanted)

    def _series(self, instrument: Instrument, resolution: Resolution) -> SeriesReader:
        """The store's bars when it has some of the instrument, else the feed's; never both."""
        stored = self._stored(instrument)
        offered = stored or self._source.resolutions(instrument)
        if resolution not in offered:
            offer = f"offered: {', '.join(offered)}" if offered else "no bars are stored for it yet; import some"
            raise ResolutionError(f"resolution {resolution} of {instrument.name} is not available; {offer}")
        if stored and not self._source.plays_store:
            return self._store.series(SeriesKey(instrument.name, resolution))
        return self._source.series(instrument, resolution, self.feed.now())

    def _stored(self, instrument: Instrument) -> tuple[Resolution, ...]:
        return self._store.resolutions_of(instrument.name)

    def _stream(self, topic: AnyTopic) -> Stream:
        """What a topic's request asks for, prepared. Raises UnknownSymbolError, ResolutionError, StoreError."""
        request = topic.request
        if isinstance(request, QuotesSubscription):
            symbols = [*request.fast_symbols, *request.symbols]
            stream: Stream = QuotesStream(topic, quoted(self.directory, self._source, symbols))
        elif isinstance(request, BarsSubscription):
            stream = self._bars_stream(topic, request)
        else:
            raise TypeError(f"{topic.name}: the datafeed has no such route")
        self._source.prepare(stream.instruments, self.feed.now())
        return stream

    def _bars_stream(self, topic: AnyTopic, request: BarsSubscription) -> BarsStream:
        instrument, resolution = self.resolve(request.symbol), _parse(request.resolution)
        stored = self._stored(instrument)
        if stored and not self._source.plays_store:
            # What streams must equal what history returns, and that is what was imported.
            raise ResolutionError(
                f"{instrument.name} has imported bars, which bars of another source must not continue; "
                "feed.kind: replay streams imported ones"
            )
        if not self._source.covers(instrument):
            raise ResolutionError(f"{instrument.name} has no live bars: the feed tells no quotes of it")
        offered = stored or self._source.resolutions(instrument)
        if resolution not in offered:
            raise ResolutionError(
                f"resolution {resolution} of {instrument.name} is not available; offered: {', '.join(offered)}"
            )
        return BarsStream(topic, instrument, resolution)


def _parse(resolution: str) -> Resolution:
    try:
        return parse_resolution(resolution)
    except ValueError as error:
        raise ResolutionError(str(error)) from error
