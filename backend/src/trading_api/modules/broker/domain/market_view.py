"""What the broker knows of a symbol's market now."""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.quote import Quote


@dataclass(frozen=True, slots=True)
class MarketView:
    """A symbol, its last quote and its trading hours. Times are ms UTC on the feed's clock, which a replay sets."""

    instrument: TradedInstrument
    quote: Quote | None
    """None until the feed has said a price."""
    stale: bool
    """The feed is gone, or has said nothing for so long that its last quote is no price to trade at."""
    is_open: bool
    session_end_ms: int | None
    """When the current session ends; of a closed market, the next one. When a DAY order expires."""
    now_ms: int
    session_start_ms: int | None = None
    """When the current session began; of a closed market, when the next one begins."""
    is_heard: bool = True
    """Whether the feed has said what the quote is, be it that there is none."""

    @property
    def tradable(self) -> Quote | None:
        """The quote to trade at; None while there is none, it is stale, or the market is closed (trading.md)."""
        return self.quote if self.is_open and not self.stale else None

    def price(self, side: Side) -> Decimal | None:
        """At which an order of this side would trade now; None while it cannot."""
        quote = self.tradable
        return quote.opposing(side) if quote is not None else None
