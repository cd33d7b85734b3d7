"""What the datafeed says over the wire (trading.md). Prices and quantities are JSON numbers, times say their unit."""

from trading_api.models.market.bars import Bar, BarsResponse, BarsSubscription
from trading_api.models.market.configuration import DatafeedConfiguration, ExchangeDescriptor, SymbolTypeDescriptor
from trading_api.models.market.pushed import PushedQuote, PushedQuotes
from trading_api.models.market.quotes import NoQuoteValues, QuoteData, QuotesRequest, QuotesSubscription, QuoteValues
from trading_api.models.market.sessions import TradingSession
from trading_api.models.market.symbols import SearchResult, SymbolInfo, SymbolType

__all__ = [
    "Bar",
    "BarsResponse",
    "BarsSubscription",
    "DatafeedConfiguration",
    "ExchangeDescriptor",
    "NoQuoteValues",
    "PushedQuote",
    "PushedQuotes",
    "QuoteData",
    "QuoteValues",
    "QuotesRequest",
    "QuotesSubscription",
    "SearchResult",
    "SymbolInfo",
    "SymbolType",
    "SymbolTypeDescriptor",
    "TradingSession",
]
