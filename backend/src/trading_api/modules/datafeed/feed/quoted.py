"""Which symbols have quotes."""

from __future__ import annotations

from collections.abc import Iterable

from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.instruments.directory import InstrumentDirectory
from trading_api.modules.datafeed.instruments.instrument import Instrument


def quoted(directory: InstrumentDirectory, source: FeedSource, symbols: Iterable[str]) -> dict[str, Instrument]:
    """The instruments that may have quotes, by the name they were asked for. Raises StoreError; in any thread."""
    found = {symbol: directory.find(symbol) for symbol in dict.fromkeys(symbols)}
    return {symbol: one for symbol, one in found.items() if one is not None and source.covers(one)}
