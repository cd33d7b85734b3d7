"""Entries in order, of which a prefix is asked for: what a quote or a moment reaches."""

from bisect import bisect_left, bisect_right, insort
from decimal import Decimal
from math import inf
from typing import NamedTuple

OrderKey = tuple[str, str]
"""An order over all accounts: (account id, order id)."""


class Entry(NamedTuple):
    """An order by what decides its turn: first `rank` (a price or a moment; less is sooner), then its arrival.

    Arrival is the time it was placed, then account and number, so that it is the same after a restart.
    """

    rank: Decimal | int
    created_ms: int
    account_id: str
    digits: int
    """Length of the id: numbers as text sort right by length first."""
    order_id: str


class SortedEntries:
    """A sorted list. At 10 000 entries a change moves some kilobytes, which is cheaper than any tree in Python."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Put it in its place."""
        insort(self._entries, entry)

    def remove(self, entry: Entry) -> None:
        """Take out an entry that is there."""
        del self._entries[bisect_left(self._entries, entry)]

    def upto(self, bound: Decimal | int) -> list[OrderKey]:
        """The orders of a rank up to the bound, the bound included, in order. At once when there are none."""
        entries = self._entries
        if not entries or entries[0].rank > bound:
            return []
        return [(entry.account_id, entry.order_id) for entry in entries[: bisect_right(entries, (bound, inf))]]

    def below(self, bound: Decimal | int) -> list[OrderKey]:
        """The orders of a rank below the bound, in order. At once when there are none."""
        entries = self._entries
        if not entries or entries[0].rank >= bound:
            return []
        return [(entry.account_id, entry.order_id) for entry in entries[: bisect_left(entries, (bound,))]]
