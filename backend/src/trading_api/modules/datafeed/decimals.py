"""Exact decimals as scaled integers (value = coefficient / 10**scale): read from text, and written as plain text.

Not `decimal.Decimal`: an import reads millions of numbers, and with integers it takes half the time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import NamedTuple

# A 64-bit column holds every integer of 18 digits.
MAX_DIGITS = 18
_LIMIT = 10**MAX_DIGITS
_MAX_TEXT = 40
_PLAIN = re.compile(r"([+-]?\d*)(?:\.(\d*))?", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d{1,3}", re.ASCII)
# Wide enough that no number of _MAX_TEXT characters is rounded.
_EXACT = Context(prec=2 * _MAX_TEXT)


class Scaled(NamedTuple):
    """A decimal with no more decimals than it needs, so that equal values are equal tuples."""

    coefficient: int
    scale: int

    def __str__(self) -> str:
        return scaled_text(self.coefficient, self.scale)


def parse_scaled(text: str) -> Scaled:
    """Read a finite number with a decimal point, exactly; an exponent is allowed.

    Raises ValueError for NaN, infinity, thousands separators, and what needs more than 18 digits.
    """
    match = _PLAIN.fullmatch(text) if len(text) <= _MAX_TEXT else None
    whole, fraction = match.groups("") if match else ("", "")
    if not whole.lstrip("+-") and not fraction:
        return _parse_scientific(text)
    decimals = fraction.rstrip("0")
    return _checked(Scaled(int(whole + decimals), len(decimals)), text)


def align(numbers: Sequence[Scaled]) -> tuple[int, list[int]]:
    """The smallest scale that holds all numbers exactly, and their coefficients at it.

    Raises ValueError past 18 digits.
    """
    scale = max(number.scale for number in numbers)
    coefficients = [number.coefficient * 10 ** (scale - number.scale) for number in numbers]
    if any(abs(coefficient) >= _LIMIT for coefficient in coefficients):
        shown = ", ".join(map(str, numbers))
        raise ValueError(f"{shown} cannot be kept exactly: more than {MAX_DIGITS} digits with {scale} decimals")
    return scale, coefficients


def scaled_text(coefficient: int, scale: int) -> str:
    """Plain decimal text, never with an exponent; a valid JSON number."""
    if scale == 0:
        return str(coefficient)
    digits = f"{abs(coefficient):0{scale + 1}d}"
    return f"{'-' if coefficient < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def _parse_scientific(text: str) -> Scaled:
    if len(text) > _MAX_TEXT or _SCIENTIFIC.fullmatch(text) is None:
        raise ValueError(f"{text[:_MAX_TEXT]!r} is not a number (digits and a decimal point)")
    value = _EXACT.normalize(Decimal(text))
    if value and abs(value.adjusted()) >= MAX_DIGITS:
        raise _out_of_range(text)
    return parse_scaled(f"{value:f}")


def _checked(number: Scaled, text: str) -> Scaled:
    if number.scale > MAX_DIGITS or abs(number.coefficient) >= _LIMIT:
        raise _out_of_range(text)
    return number


def _out_of_range(text: str) -> ValueError:
    return ValueError(f"{text} is out of range: at most {MAX_DIGITS} digits are kept")
