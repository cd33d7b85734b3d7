"""One trade of an order."""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill (FIX ExecType Trade; TradingView's Execution)."""

    id: str
    """FIX ExecID (17), counted per account."""
    order_id: str
    symbol: str
    side: Side
    qty: Decimal
    """Units, above 0 (FIX LastQty, 32)."""
    price: Decimal
    """Quote currency (FIX LastPx, 31)."""
    commission: Decimal
    """Account currency, to the cent (FIX Commission, 12)."""
    realized: Decimal
    """Profit and loss that it realised, before commission, account currency; 0 when it only opened."""
    time_ms: int
    """ms UTC."""
