"""What a paper account begins with and pays: the part of the settings that is about the broker."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading_api.variables import VariableReader

MAX_BALANCE = Decimal(10**12)
MAX_COMMISSION_RATE = Decimal("0.1")
MAX_COMMISSION_PER_SHARE = Decimal(1000)
MIN_STALE_QUOTE_S, MAX_STALE_QUOTE_S = 0.1, 86_400.0
MAX_DECIMALS = 8
# ISO 4217 has three letters; coins have up to five.
_CURRENCY = re.compile(r"[A-Z]{3,5}")
# As the deployment tool writes numbers: 1e-05 is one.
_NUMBER = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,17})?([eE]-[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The terms of every account.

    `balance` is an account's first cash, in `currency`. A fill costs `commission_rate` of its notional (0.001: a tenth
    of a percent) and `commission_per_share` for each unit. A quote older than `stale_quote_s` seconds fills nothing.
    """

    balance: Decimal = Decimal(100_000)
    currency: str = "USD"
    commission_rate: Decimal = Decimal(0)
    commission_per_share: Decimal = Decimal(0)
    stale_quote_s: float = 60.0


def read_broker_settings(environ: Mapping[str, str]) -> tuple[BrokerSettings, tuple[str, ...]]:
    """The terms that `environ` asks for, with what is wrong with them; the default stands for what cannot be read."""
    default, variables = BrokerSettings(), VariableReader(environ)
    settings = BrokerSettings(
        balance=variables.read("TRADING_BROKER_BALANCE", _balance, default.balance),
        currency=variables.read("TRADING_BROKER_CURRENCY", _currency, default.currency),
        commission_rate=variables.read("TRADING_BROKER_COMMISSION_RATE", _rate, default.commission_rate),
        commission_per_share=variables.read(
            "TRADING_BROKER_COMMISSION_PER_SHARE", _per_share, default.commission_per_share
        ),
        stale_quote_s=variables.read("TRADING_BROKER_STALE_QUOTE", _stale_quote, default.stale_quote_s),
    )
    return settings, tuple(variables.problems)


def _number(text: str) -> Decimal:
    """A number of at most 8 decimals. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number")
    number = Decimal(text)
    if number != round(number, MAX_DECIMALS):
        raise ValueError(f"{text!r} has more than {MAX_DECIMALS} decimals")
    # Without zeros at its end, and not as 1E+5.
    return number.normalize() + 0


def _balance(text: str) -> Decimal:
    balance = _number(text)
    if not 0 < balance <= MAX_BALANCE:
        raise ValueError(f"{text!r} is not above 0 and at most {MAX_BALANCE}")
    return balance


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise ValueError(f"{text!r} is no currency; write its code, such as USD")
    return text


def _rate(text: str) -> Decimal:
    rate = _number(text)
    if not 0 <= rate <= MAX_COMMISSION_RATE:
        raise ValueError(f"{text!r} is not a rate from 0 to {MAX_COMMISSION_RATE}; 0.001 is a tenth of a percent")
    return rate


def _per_share(text: str) -> Decimal:
    commission = _number(text)
    if not 0 <= commission <= MAX_COMMISSION_PER_SHARE:
        raise ValueError(f"{text!r} is not from 0 to {MAX_COMMISSION_PER_SHARE}")
    return commission


def _stale_quote(text: str) -> float:
    seconds = float(_number(text))
    if not MIN_STALE_QUOTE_S <= seconds <= MAX_STALE_QUOTE_S:
        raise ValueError(f"{text!r} is not a time from {MIN_STALE_QUOTE_S:g} to {MAX_STALE_QUOTE_S:g} seconds")
    return seconds
