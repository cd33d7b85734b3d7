"""The quotes of one moment: each symbol is looked up once, however many streams want it."""

from __future__ import annotations

from typing import NamedTuple

from trading_api.models.market import NoQuoteValues, QuoteData, QuoteValues
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.wire import quote_values


class Told(NamedTuple):
    """A quote, and the same for the wire."""

    quote: Quote
    values: QuoteValues


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
            quote = self.source.quote(instrument, self.time)
            known = self._told[instrument] = Told(quote, quote_values(instrument, quote))
        return known


def quote_data(symbol: str, values: QuoteValues) -> QuoteData:
    """The quote of `symbol`, spelt as it was asked for."""
    return QuoteData.model_construct(s="ok", n=symbol, v=values)


def no_quote(symbol: str) -> QuoteData:
    """What is said of a symbol that nobody knows, or that has no quotes."""
    return QuoteData.model_construct(s="error", n=symbol, v=NoQuoteValues())
