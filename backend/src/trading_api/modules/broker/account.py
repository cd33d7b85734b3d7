"""The account that a broker keeps: plain values, no HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `currency` is an ISO 4217 code; the defaults are those of the trading contract."""

    id: str = "DEMO-ACCOUNT"
    name: str = "Demo account"
    currency: str = "USD"
