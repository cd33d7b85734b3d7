"""What a trade costs."""

from decimal import Decimal

from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.amounts import EXACT, cents


def commission(terms: AccountTerms, qty: Decimal, price: Decimal) -> Decimal:
    """`qty * price * rate + qty * per_share`, to the cent, half up (trading.md, "configurable (rate and per share)").

    Rounded for each trade by itself, as brokers charge it: two part fills may differ from one whole by a cent.
    """
    by_notional = EXACT.multiply(EXACT.multiply(qty, price), terms.commission_rate)
    return cents(EXACT.add(by_notional, EXACT.multiply(qty, terms.commission_per_share)))
