"""The figures of an account's worth."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Equity:
    """All in the account's currency, exact."""

    balance: Decimal
    """Cash: the first day's + realized - fees."""
    realized: Decimal
    """Profit and loss of what was closed, since the first day or the last reset, before commissions."""
    fees: Decimal
    """Commissions paid since then."""
    unrealized: Decimal | None
    """Profit and loss of what is open; None: not known yet, as that of a symbol is not (`equity.py`)."""
    equity: Decimal | None
    """balance + unrealized, if that is known."""
