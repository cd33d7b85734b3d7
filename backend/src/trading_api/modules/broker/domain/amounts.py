"""Exact money. Sums and products are never rounded; only what is divided is, and this file says how.

A price and a quantity have at most 12 decimals each (`number_checks.py`), so notionals are whole numbers of 10^-24.
Costs and cash are kept on that grid, with 80 digits: 10^12 units at a price of 10^12 still leave room for 30 more.
"""

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    getcontext,
    localcontext,
)
from functools import wraps
from typing import ParamSpec, TypeVar

EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
ZERO = Decimal(0)
CENT = Decimal("0.01")
_GRID = Decimal(1).scaleb(-24)
_PRICE_GRID = Decimal(1).scaleb(-12)
P = ParamSpec("P")
R = TypeVar("R")


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Runs the function in the exact context, whatever the thread's own context is (28 digits by default)."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if getcontext().prec == EXACT.prec:
            return function(*args, **kwargs)
        with localcontext(EXACT):
            return function(*args, **kwargs)

    return run


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`amount * part / whole` on the grid of 10^-24, half to even. What stays is the rest: nothing is lost."""
    if part == whole:
        return amount
    return EXACT.divide(EXACT.multiply(amount, part), whole).quantize(_GRID, context=EXACT)


def average(cost: Decimal, qty: Decimal) -> Decimal:
    """The average price of `qty` units that cost `cost`, to 12 decimals, without idle zeros; 0 of nothing. For show."""
    if not qty:
        return ZERO
    return plain(EXACT.divide(cost, qty).quantize(_PRICE_GRID, context=EXACT))


def cents(amount: Decimal) -> Decimal:
    """To the cent, half up: how commissions are charged."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP, context=EXACT)


def margin_of(notional: Decimal, leverage: Decimal) -> Decimal:
    """`notional / leverage` to 12 decimals, rounded up: never less than what is due."""
    return EXACT.divide(notional, leverage).quantize(_PRICE_GRID, rounding=ROUND_CEILING, context=EXACT)


def plain(amount: Decimal) -> Decimal:
    """The same number without idle zeros and without an exponent: 1E+2 is 100, 0.50 is 0.5."""
    shorter = amount.normalize(EXACT)
    return shorter if shorter.as_tuple().exponent <= 0 else shorter.quantize(Decimal(1), context=EXACT)  # type: ignore[operator]


def text(amount: Decimal) -> str:
    """A number as people read it in a message, to 8 decimals at most: `1871.5`, never `1.8715E+3`."""
    short = amount if -amount.as_tuple().exponent <= 8 else amount.quantize(Decimal("1E-8"), context=EXACT)  # type: ignore[operator]
    return f"{plain(short):f}"


def money(amount: Decimal) -> str:
    """An amount in a message, to the cent. None of these is shown as -0.00."""
    return f"{cents(amount):z,f}"


def money_needed(amount: Decimal) -> str:
    """What is needed, to the cent, rounded up: beside what is free it shows what is missing."""
    return f"{amount.quantize(CENT, rounding=ROUND_CEILING, context=EXACT):z,f}"


def money_free(amount: Decimal) -> str:
    """What is free, to the cent, rounded down: what is below 0 shows at least -0.01."""
    return f"{amount.quantize(CENT, rounding=ROUND_FLOOR, context=EXACT):z,f}"
