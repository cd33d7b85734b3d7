"""The symbols that somebody wants to know about, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

from trading_api.modules.broker.market.listing import Listing
from trading_api.modules.broker.market.subscriptions import MAX_HELD

LOOKED_S = 60.0
"""A symbol that was looked at is kept for so long."""
# So many of those; a catalogue may hold a hundred times as many.
_MAX_LOOKED = 2000


class Listings:
    """By canonical name; those that are watched for as long as they are, others for a while after a look."""

    def __init__(self) -> None:
        self._listings: dict[str, Listing] = {}
        self._names: dict[str, str] = {}
        self._watched: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Listing]:
        return iter(tuple(self._listings.values()))

    def find(self, spelling: str) -> Listing | None:
        """By any spelling that was resolved already, or by its name."""
        return self._listings.get(self._names.get(spelling, spelling))

    def watched(self) -> list[Listing]:
        """Those that are watched, ascending by name."""
        return [self._listings[name] for name in sorted(self._watched)]

    def watch(self, symbols: frozenset[str]) -> None:
        """From now on it is these that are watched."""
        self._watched = symbols
        for name in symbols - self._listings.keys():
            self._listings[name] = Listing(name)

    def look_at(self, spelling: str, name: str, at: float) -> Listing:
        """Somebody looks at a symbol."""
        listing = self._listings.setdefault(name, Listing(name))
        if spelling != name:
            self._names[spelling] = name
        listing.wanted_until = at + LOOKED_S
        return listing

    def forget(self, at: float) -> None:
        """Let go of what nobody wants any more."""
        looked = sorted(self._looked(), key=lambda each: each.wanted_until)
        for number, listing in enumerate(looked, start=1):
            if listing.wanted_until <= at or number <= len(looked) - _MAX_LOOKED:
                del self._listings[listing.symbol]
        if len(self._names) > 2 * len(self._listings):
            self._names = {spelling: name for spelling, name in self._names.items() if name in self._listings}

    def streamed(self) -> frozenset[str]:
        """Whose quotes are to be streamed: those that are watched, and of the others those looked at last."""
        looked = sorted(self._looked(), key=lambda each: each.wanted_until, reverse=True)
        return self._watched.union(each.symbol for each in looked[: max(0, MAX_HELD - len(self._watched))])

    def _looked(self) -> list[Listing]:
        return [each for name, each in self._listings.items() if name not in self._watched]
