"""The quotes of one moment: each symbol is looked up once, however many streams want it."""

from __future__ import annotations

from functools import cached_property

from pydantic_core import to_json

from trading_api.models.market import NoQuoteValues, QuoteData, QuoteValues
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.wire import quote_values


class Told:
    """A quote, and the same for the wire, made once for all who asked for it by whatever name."""

    def __init__(self, instrument: Instrument, quote: Quote) -> None:
        self.quote = quote
        self._instrument = instrument

    @cached_property
    def values(self) -> QuoteValues:
        """As a model."""
        return quote_values(self._instrument, self.quote)

    @cached_property
    def json(self) -> bytes:
        """As JSON."""
        return self.values.__pydantic_serializer__.to_json(self.values, by_alias=True)


class QuoteBoard:
    """The quotes at `time` (ms UTC), made when they are first wanted."""

    def __init__(self, source: FeedSource, time: int) -> None:
        self.source = source
        self.time = time
        self._told: dict[Instrument, Told] = {}

    def told(self, instrument: Instrument) -> Told:
        """The quote of an instrument that the source covers."""
        known = self._told.get(instrument)
        if known is None:
            known = self._told[instrument] = Told(instrument, self.source.quote(instrument, self.time))
        return known


def quote_data(symbol: str, values: QuoteValues) -> QuoteData:
    """The quote of `symbol`, spelt as it was asked for."""
    return QuoteData.model_construct(s="ok", n=symbol, v=values)


def quote_json(symbol: str, told: Told) -> bytes:
    """The same as JSON."""
    return b'{"s":"ok","n":%b,"v":%b}' % (to_json(symbol), told.json)


def no_quote(symbol: str) -> QuoteData:
    """What is said of a symbol that nobody knows, or that has no quotes."""
    return QuoteData.model_construct(s="error", n=symbol, v=NoQuoteValues())
