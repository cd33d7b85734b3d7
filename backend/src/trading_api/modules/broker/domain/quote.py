"""The best prices of a symbol at one moment."""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side


@dataclass(frozen=True, slots=True)
class Quote:
    """What a buyer pays (ask) and a seller gets (bid), quote currency; bid <= ask (FIX BidPx 132, OfferPx 133)."""

    symbol: str
    bid: Decimal
    ask: Decimal
    time_ms: int
    """When it was made, ms UTC on the feed's clock."""

    def opposing(self, side: Side) -> Decimal:
        """The price at which an order of this side trades at once: the ask for a buy, the bid for a sell."""
        return self.ask if side is Side.BUY else self.bid

    def closing(self, side: Side) -> Decimal:
        """What a position of this side is worth: longs at the bid, shorts at the ask."""
        return self.bid if side is Side.BUY else self.ask
