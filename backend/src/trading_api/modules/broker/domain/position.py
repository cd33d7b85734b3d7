"""What an account holds of one symbol."""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.amounts import EXACT, average


def opposite(side: Side) -> Side:
    """Sell for buy, buy for sell."""
    return Side.SELL if side is Side.BUY else Side.BUY


@dataclass(frozen=True, slots=True)
class Position:
    """Net: one per account and symbol (trading.md; TradingView's Position). Its id is the symbol."""

    symbol: str
    side: Side
    """Long or short; of a closed position, what it was."""
    qty: Decimal
    """Units held, never below 0; 0 once, when it is closed."""
    cost: Decimal
    """What the units that are open were traded for, quote currency: exactly the sum of quantity * price."""

    @property
    def id(self) -> str:
        """The name by which clients close and protect it."""
        return self.symbol

    @property
    def avg_price(self) -> Decimal:
        """Weighted average price of what is open, to 12 decimals; 0 when closed. Money is reckoned from `cost`."""
        return average(self.cost, self.qty)

    @property
    def is_open(self) -> bool:
        """Whether anything is held."""
        return self.qty > 0

    @property
    def closing_side(self) -> Side:
        """The side of an order that reduces it."""
        return opposite(self.side)

    def profit_at(self, price: Decimal) -> Decimal:
        """Unrealised profit and loss, were it all closed at `price`."""
        return EXACT.multiply(Decimal(self.side), EXACT.subtract(EXACT.multiply(self.qty, price), self.cost))
