"""What the live feed needs of whatever makes quotes (trading.md: simulated, replay, manual; later an exchange)."""

from __future__ import annotations

from typing import Protocol

from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.spans import BarSpan
from trading_api.modules.datafeed.instrument import Instrument


class FeedSource(Protocol):
    """Answers at once, from memory: it is asked in the event loop. Times are ms UTC."""

    def covers(self, instrument: Instrument) -> bool:
        """Whether there are quotes of the instrument."""

    def quote(self, instrument: Instrument, time: int) -> Quote:
        """The quote in force at `time`; while the market is closed, the last one."""

    def bar(self, instrument: Instrument, span: BarSpan, time: int) -> ScaledBar:
        """The bar over the ticks of `span` up to `time`. Raises ValueError when the span has not begun."""
