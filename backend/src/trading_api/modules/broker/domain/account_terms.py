"""On what terms an account trades."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """The defaults are those of trading.md."""

    balance: Decimal = Decimal(100_000)
    """Cash on its first day, account currency."""
    currency: str = "USD"
    """ISO 4217. Every symbol is taken to be quoted in it."""
    commission_rate: Decimal = Decimal(0)
    """Of a trade's notional: 0.001 is a tenth of a percent."""
    commission_per_share: Decimal = Decimal(0)
    """Per unit traded, account currency."""
    default_leverage: Decimal = Decimal(10)
    min_leverage: Decimal = Decimal(1)
    max_leverage: Decimal = Decimal(100)
    leverage_step: Decimal = Decimal(1)
