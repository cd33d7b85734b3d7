"""Many keys, a bounded number of them in each query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

MOST_KEYS = 500
"""SQLite refuses queries with more than 32 766 parameters, and SQLAlchemy spells out each of them."""
T = TypeVar("T")


def portions(keys: Iterable[T], size: int = MOST_KEYS) -> Iterator[list[T]]:
    """All of `keys`, at most `size` at a time."""
    iterator = iter(keys)
    while some := list(islice(iterator, size)):
        yield some
