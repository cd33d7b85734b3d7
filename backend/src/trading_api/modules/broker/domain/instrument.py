"""What the broker must know of a symbol to trade it."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class TradedInstrument:
    """A symbol and its grids. Every price is a whole number of ticks, every quantity a whole number of steps."""

    symbol: str
    """Its canonical name, which is also the id of its position."""
    tick: Decimal
    """The least price change, quote currency: `minmov / pricescale` of TradingView's SymbolInfo."""
    step: Decimal
    """The least quantity, units."""

    @property
    def pip(self) -> Decimal:
        """The unit of `trailingStopPips`, quote currency. Here one tick."""
        return self.tick
