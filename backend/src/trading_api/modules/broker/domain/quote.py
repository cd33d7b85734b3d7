"""The best prices of a symbol at one moment."""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side


@dataclass(frozen=True, slots=True)
class Quote:
    """What a buyer pays (ask) and a seller gets (bid), quote currency (FIX BidPx 132, OfferPx 133).

    A price of 0 or less is none: nobody bids, or nobody offers. Where there are both, bid <= ask.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    time_ms: int
    """When it was made, ms UTC on the feed's clock."""

    def opposing(self, side: Side) -> Decimal | None:
        """The price at which an order of this side trades at once: the ask for a buy, the bid for a sell, if any."""
        price = self.ask if side is Side.BUY else self.bid
        return price if price > 0 else None

    def closing(self, side: Side) -> Decimal | None:
        """What a position of this side is worth: longs at the bid, shorts at the ask, if there is one."""
        price = self.bid if side is Side.BUY else self.ask
        return price if price > 0 else None

    def mark(self, before: "Quote | None") -> "Quote":
        """What positions are valued at from this quote on: a side without a price keeps the last good one."""
        if before is None or (self.bid > 0 and self.ask > 0):
            return self
        bid = self.bid if self.bid > 0 else before.bid
        return Quote(self.symbol, bid, self.ask if self.ask > 0 else before.ask, self.time_ms)
