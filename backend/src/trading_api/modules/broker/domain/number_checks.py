"""Is a price or a quantity one that can be traded: finite, positive, not enormous, and exactly on its grid."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from itertools import takewhile

from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.problem import Problem

LARGEST = Decimal(10) ** 12
"""The bound of every price (quote currency), quantity (units) and distance (pips)."""
MOST_DECIMALS = 12
_EXACT = Context(prec=60)  # two numbers within the bounds above, and their quotient, fit many times over
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Grid:
    """Numbers that are allowed: the positive multiples of `unit`. `name` finishes the sentence "5.5 is not …"."""

    unit: Decimal
    name: str

    def holds(self, value: Decimal) -> bool:
        """Whether the value is on it, exactly: 0.29 is on a tick of 0.01."""
        return not _EXACT.remainder(value, self.unit)

    def at_most(self, value: Decimal) -> Decimal:
        """The nearest number of the grid that is not above the value."""
        return self._rounded(value, ROUND_FLOOR)

    def at_least(self, value: Decimal) -> Decimal:
        """The nearest number of the grid that is not below the value."""
        return self._rounded(value, ROUND_CEILING)

    def above(self, value: Decimal) -> Decimal:
        """The nearest number of the grid above the value."""
        return self.at_most(value) + self.unit

    def below(self, value: Decimal) -> Decimal:
        """The nearest number of the grid below the value; it may be zero."""
        return self.at_least(value) - self.unit

    def _rounded(self, value: Decimal, rounding: str) -> Decimal:
        return _EXACT.divide(value, self.unit).to_integral_value(rounding) * self.unit


PIPS = Grid(Decimal(1), "a whole number of pips")


def ticks(instrument: TradedInstrument) -> Grid:
    """The prices of the instrument (trading.md: `minmov / pricescale`)."""
    return Grid(instrument.tick, f"on the tick of {shown(instrument.tick)}")


def steps(instrument: TradedInstrument) -> Grid:
    """The quantities of the instrument."""
    return Grid(instrument.step, f"on the step of {shown(instrument.step)}")


def number_problem(field: Field, value: Decimal, grid: Grid) -> Problem | None:
    """What is wrong with the number, or None. The first reason only: the others follow from it."""
    reason = _bounds_reason(value, grid) or _grid_reason(value, grid)
    return Problem(field, f"{field.shown} {shown(value)} {reason}") if reason else None


def is_sound(value: Decimal | None) -> bool:
    """Whether it is there and within the bounds, so that other numbers can be measured by it."""
    return value is not None and value.is_finite() and 0 < value <= LARGEST


def shown(value: Decimal) -> str:
    """The number for people: 0.5 for 0.50, no exponent where it is of usual size, never longer than a line."""
    if value.is_finite() and value.copy_abs() <= LARGEST and decimals(value) <= MOST_DECIMALS:
        return format(_EXACT.normalize(value), "f") if value else "0"
    text = _written(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _written(value: Decimal) -> str:
    """Every digit of it, without idle zeros, and without an exponent where that is no longer than a line."""
    if not value.is_finite() or not 0 <= value.adjusted() < _SHOWN:
        return str(value)
    whole, _, fraction = f"{value:f}".partition(".")
    return f"{whole}.{fraction}".rstrip("0").rstrip(".") if fraction else whole


def decimals(value: Decimal) -> int:
    """How many decimals a finite number needs: 2 for 1.250, 0 for 1E+3."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "only of a finite number"
    zeros = sum(1 for _ in takewhile(lambda digit: digit == 0, reversed(digits)))
    return max(0, -exponent - zeros) if value else 0


def _bounds_reason(value: Decimal, grid: Grid) -> str:
    if not value.is_finite():
        return "is not a finite number"
    if value <= 0:
        return f"is not above 0; the least is {shown(grid.unit)}"
    if value > LARGEST:
        return f"is enormous; the most is {shown(LARGEST)}"
    if decimals(value) > MOST_DECIMALS:
        return f"has more than {MOST_DECIMALS} decimals; it must be {grid.name}"
    return ""


def _grid_reason(value: Decimal, grid: Grid) -> str:
    if grid.holds(value):
        return ""
    lower, upper = grid.at_most(value), grid.at_least(value)
    return f"is not {grid.name}; use {f'{shown(lower)} or ' if lower else ''}{shown(upper)}"
