"""The quotes of one moment: each symbol is looked up once, however many streams want it."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from pydantic_core import to_json

from trading_api.models.market import NoQuoteValues, QuoteData, QuoteValues
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.wire import quote_values


class Told:
    """A quote, and the same for the wire, made once for all who asked for it by whatever name.

    `quote` None is that of a symbol that has none yet.
    """

    def __init__(self, instrument: Instrument, quote: Quote | None) -> None:
        self.quote = quote
        self._instrument = instrument

    @cached_property
    def values(self) -> QuoteValues | NoQuoteValues:
        """As a model."""
        return quote_values(self._instrument, self.quote) if self.quote else NoQuoteValues()

    @cached_property
    def json(self) -> bytes:
        """As JSON."""
        return self.values.__pydantic_serializer__.to_json(self.values, by_alias=True, exclude_unset=True)


class QuoteBoard:
    """The quotes at `wall` (ms UTC, where the feed stands at `moment`), made when they are first wanted.

    `changed` may be set to the names of the symbols to look at; None: all.
    """

    def __init__(self, source: FeedSource, wall: int) -> None:
        self.source = source
        self.wall = wall
        self.changed: Collection[str] | None = None
        self.moment = source.moment(wall)
        self._told: dict[str, Told] = {}

    def told(self, instrument: Instrument) -> Told:
        """The quote of an instrument that the source covers."""
        known = self._told.get(instrument.name)
        if known is None:
            quote = self.source.quote(instrument, self.moment)
            known = self._told[instrument.name] = Told(instrument, quote)
        return known


def quote_data(symbol: str, told: Told) -> QuoteData:
    """The quote of `symbol`, spelt as it was asked for."""
    return QuoteData.model_construct(s="ok" if told.quote else "error", n=symbol, v=told.values)


def quote_json(symbol: str, told: Told) -> bytes:
    """The same as JSON."""
    return b'{"s":"%b","n":%b,"v":%b}' % (b"ok" if told.quote else b"error", to_json(symbol), told.json)


def no_quote(symbol: str) -> QuoteData:
    """What is said of a symbol that nobody knows."""
    return QuoteData.model_construct(s="error", n=symbol, v=NoQuoteValues())
