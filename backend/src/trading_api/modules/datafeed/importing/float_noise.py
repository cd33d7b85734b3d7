"""The noise of binary floats in decimal text: 63.050000000000004 for 63.05, and the like."""

from __future__ import annotations

import struct

from trading_api.modules.datafeed.decimals import Scaled, parse_scaled, scaled_text

FEWEST_DIGITS = 12
"""Nothing with fewer significant digits is noise, however many decimals it has: some prices are millionths."""
MOST_DECIMALS = 10
_FLOAT64_DIGITS = 15
_MEANT_DIGITS = 11
_NEAR = 10**13
_FLOAT32_SAVES = 6


def is_noise(number: Scaled) -> bool:
    """Whether a number, as `shortest` has it, is no price but what a float made of one.

    It is when another decimal was clearly meant (`meant`), and when it has more than MOST_DECIMALS decimals and more
    than FEWEST_DIGITS digits, as the results of divisions and averages have.
    """
    if _digits(number) < FEWEST_DIGITS:
        return False
    return (number.scale > MOST_DECIMALS and _digits(number) > FEWEST_DIGITS) or meant(number) is not None


def meant(number: Scaled) -> Scaled | None:
    """The decimal that a number, as `shortest` has it, was before a float held it; None where none is clearly meant.

    64 bits: it has 15 digits or more, and within 1e-13 of it (relatively) there is one of at most 11 digits.
    32 bits: it has 12 digits or more, a float of 32 bits holds it, and one that is at least 6 digits shorter is read as
    the same float of 32 bits.
    """
    if not number.scale or _digits(number) < FEWEST_DIGITS:
        return None
    return _meant_64(number) or _meant_32(number)


def safe_decimals(number: Scaled, before: Scaled) -> int:
    """The most decimals that a number can be rounded to and be `before`, what is `meant` by it."""
    error = abs(number.coefficient - before.coefficient * 10 ** (number.scale - before.scale))
    # Less than half of the last decimal that stays.
    return number.scale - len(str(2 * error))


def shortest(coefficient: int, scale: int) -> Scaled:
    """The value coefficient / 10**scale with no more decimals than it needs."""
    while scale > 0 and coefficient % 10 == 0:
        coefficient, scale = coefficient // 10, scale - 1
    return Scaled(coefficient, scale)


def _digits(number: Scaled) -> int:
    return len(str(number.coefficient))


def _meant_64(number: Scaled) -> Scaled | None:
    if _digits(number) < _FLOAT64_DIGITS:
        return None
    cut = min(_digits(number) - _MEANT_DIGITS, number.scale)
    rounded = (number.coefficient + 10**cut // 2) // 10**cut
    is_near = abs(rounded * 10**cut - number.coefficient) * _NEAR <= number.coefficient
    return shortest(rounded, number.scale - cut) if is_near else None


def _meant_32(number: Scaled) -> Scaled | None:
    value = float(scaled_text(*number))
    if _float32(value) != value:
        return None
    texts = (f"{value:.{digits}g}" for digits in range(1, _digits(number) - _FLOAT32_SAVES + 1))
    return next((parse_scaled(text) for text in texts if _float32(float(text)) == value), None)


def _float32(value: float) -> float:
    """The nearest float of 32 bits; 18 digits are always in its range."""
    found: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return found
