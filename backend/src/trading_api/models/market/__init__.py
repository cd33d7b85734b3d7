"""What the datafeed says over the wire (trading.md). Prices and quantities are JSON numbers, times say their unit."""

from trading_api.models.market.bars import Bar, BarsResponse
from trading_api.models.market.configuration import DatafeedConfiguration, ExchangeDescriptor, SymbolTypeDescriptor
from trading_api.models.market.symbols import SearchResult, SymbolInfo, SymbolType

__all__ = [
    "Bar",
    "BarsResponse",
    "DatafeedConfiguration",
    "ExchangeDescriptor",
    "SearchResult",
    "SymbolInfo",
    "SymbolType",
    "SymbolTypeDescriptor",
]
