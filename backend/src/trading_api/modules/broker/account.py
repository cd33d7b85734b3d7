"""Whose account is which: plain values, no HTTP."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from trading_api.shared.users import User

DEMO = "DEMO-ACCOUNT"


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `currency` is an ISO 4217 code; the defaults are those of the trading contract."""

    id: str = DEMO
    name: str = "Demo account"
    currency: str = "USD"


def account_of(user: User, currency: str = "USD") -> Account:
    """Everybody has one account. Its id does not tell who that is, for it stands in logs and addresses.

    The demo account is that of the user who has to prove nothing, and of nobody with a token, whatever its `sub`.
    """
    if not user.proven:
        return Account(currency=currency)
    return Account(f"ACC-{hashlib.sha256(user.id.encode()).hexdigest()[:16]}", "Paper account", currency)
