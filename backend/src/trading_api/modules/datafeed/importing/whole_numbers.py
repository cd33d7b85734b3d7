"""Columns of numbers at a time: what `decimals` does to one number, done to many by functions that loop in C."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from math import gcd
from operator import floordiv, mul
from typing import NamedTuple

from trading_api.modules.datafeed.decimals import MAX_DIGITS

_ALLOWED = b"0123456789.\n"
_LIMIT = 10**MAX_DIGITS


class Unusual(Exception):
    """Not in the form that whole columns are read in; row by row it may still be read, or be refused."""


class Coefficients(NamedTuple):
    """Columns of integers, each to be divided by 10**`scale`."""

    scale: int
    columns: tuple[list[int], ...]


def read_columns(columns: Sequence[Sequence[str]]) -> Coefficients:
    """Plain numbers without a sign: `184`, `184.05`. All columns get the decimals of the longest number.

    Raises Unusual for anything else, right or wrong, and for an empty column.
    """
    cells = [cell for column in columns for cell in column] if len(columns) > 1 else columns[0]
    if not cells:
        raise Unusual
    scale, integers = _integers(cells)
    height = len(columns[0])
    return Coefficients(scale, tuple(integers[start : start + height] for start in range(0, len(integers), height)))


def shortened(numbers: Coefficients) -> tuple[Sequence[int], tuple[Sequence[int], ...]]:
    """For each row the fewest decimals that hold all its numbers, and the columns with these.

    Raises Unusual where a number has more than 18 digits even so.
    """
    columns: tuple[Sequence[int], ...] = numbers.columns
    zeros = list(map(_zeros(numbers.scale).__getitem__, map(gcd, *columns, repeat(10**numbers.scale))))
    if any(zeros):
        divisors = [10**count for count in zeros]
        columns = tuple(list(map(floordiv, column, divisors)) for column in columns)
    if max(map(max, columns)) >= _LIMIT:
        raise Unusual
    return [numbers.scale - count for count in zeros], columns


def holds_more(text: str, allowed: bytes, lines: int) -> bool:
    """Whether a text holds other characters, or more lines: a quoted cell may have some."""
    return bool(text.encode().translate(None, allowed)) or text.count("\n") >= lines


def _integers(cells: Sequence[str]) -> tuple[int, list[int]]:
    """The most decimals of any cell, and all cells with so many."""
    text = "\n".join(cells)
    # Of so many leading zeros the reader of single numbers may say that the text is too long.
    if holds_more(text, _ALLOWED, len(cells)) or "\n0000" in f"\n{text}":
        raise Unusual
    scale = len(cells[0].partition(".")[2])
    if 0 < scale <= MAX_DIGITS and _same_decimals(scale).fullmatch(text):
        return scale, list(map(int, text.replace(".", "").split("\n")))
    return _aligned(cells, text)


def _aligned(cells: Sequence[str], text: str) -> tuple[int, list[int]]:
    points = list(map(str.find, cells, repeat(".")))
    # Exactly one point where there is one, and a digit before it.
    if 0 in points or text.count(".") + points.count(-1) != len(cells):
        raise Unusual
    decimals = [len(cell) - point - 1 if point > 0 else 0 for cell, point in zip(cells, points, strict=True)]
    scale = max(decimals)
    if scale > MAX_DIGITS:
        raise Unusual
    factors = [10 ** (scale - count) for count in range(scale + 1)]
    try:
        coefficients = map(int, text.replace(".", "").split("\n"))
        return scale, list(map(mul, coefficients, map(factors.__getitem__, decimals)))
    except ValueError:
        raise Unusual from None


@lru_cache(maxsize=MAX_DIGITS)
def _same_decimals(scale: int) -> re.Pattern[str]:
    return re.compile(rf"(?:[0-9]++\.[0-9]{{{scale}}}\n)*+[0-9]++\.[0-9]{{{scale}}}")


@lru_cache(maxsize=MAX_DIGITS + 1)
def _zeros(scale: int) -> dict[int, int]:
    """Each divisor of 10**`scale` → the zeros at its end."""
    return {2**twos * 5**fives: min(twos, fives) for twos in range(scale + 1) for fives in range(scale + 1)}
