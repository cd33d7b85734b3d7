"""All known instruments: the shipped catalogue, and what the store holds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from threading import Lock
from typing import Protocol

from sqlalchemy import Engine

from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.instruments.search import search
from trading_api.modules.datafeed.instruments.search_index import SearchIndex
from trading_api.shared.store.errors import StoreError

FRESH_SECONDS = 0.05
"""For how long the facts of a known name are believed without asking the store whether they changed."""
_RETRY_SECONDS = 1.0
"""The same, after the store could not be asked."""


class InstrumentSource(Protocol):
    """Where instruments come from; `InstrumentStore` is one. Its methods raise StoreError."""

    def all(self) -> list[Instrument]:
        """Each name once."""

    def version(self) -> Hashable:
        """A value that is another one after every change. Quick."""


def open_directory(engine: Engine) -> InstrumentDirectory:
    """Of the shipped catalogue and the store of an engine; reads the catalogue now, the store when it is needed.

    Raises CatalogueError when the shipped file has been broken.
    """
    return InstrumentDirectory(load_catalogue(), InstrumentStore(engine))


class InstrumentDirectory:
    """Looks symbols up, from any thread; where both know a name the store holds. Its methods raise StoreError.

    Everything is kept in memory. What an import changes is seen by the next request; only `find` may tell older facts
    of a name that it knew before, for FRESH_SECONDS, and for as long as the store cannot be read.
    """

    def __init__(
        self,
        catalogue: Iterable[Instrument],
        source: InstrumentSource,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` tells seconds."""
        self._shipped = {instrument.name: instrument for instrument in catalogue}
        self._source = source
        self._clock = clock
        self._lock = Lock()
        self._known: _Known | None = None
        self._fresh_until = 0.0
        self._asked_at = -1.0
        self._failure: StoreError | None = None

    @property
    def version(self) -> str:
        """Of what `find` tells from: another text after a change of any instrument, the same in every process.

        Empty before anything was read.
        """
        return self._known.digest if self._known is not None else ""

    def all(self) -> list[Instrument]:
        """By name."""
        return self._refreshed().listed

    def find(self, symbol: str) -> Instrument | None:
        """By `NAME` or `EXCHANGE:NAME`, in any case; None when unknown."""
        known = self._known
        if known is not None and self._clock() < self._fresh_until:
            found = known.find(symbol)
            if found is not None:
                return found
        return self._find_now(symbol)

    def is_shipped(self, instrument: Instrument) -> bool:
        """Whether these are the facts that the catalogue ships."""
        return self._shipped.get(instrument.name) == instrument

    def search(self, text: str, *, exchange: str = "", symbol_type: str = "", limit: int) -> list[Instrument]:
        """The best `limit` matches, best first; see `search.search`."""
        return search(self._refreshed().index, text, exchange=exchange, symbol_type=symbol_type, limit=limit)

    def _find_now(self, symbol: str) -> Instrument | None:
        try:
            return self._refreshed().find(symbol)
        except StoreError:
            found = self._known.find(symbol) if self._known is not None else None
            if found is None:
                raise
            self._fresh_until = self._clock() + _RETRY_SECONDS
            return found

    def _refreshed(self) -> _Known:
        """What the store knows now. Threads that wait share one answer, for a store that is away may take long."""
        came = self._clock()
        with self._lock:
            if self._asked_at < came:
                self._asked_at = self._clock()
                self._failure = self._ask()
            if self._failure is not None:
                raise self._failure
            assert self._known is not None
            return self._known

    def _ask(self) -> StoreError | None:
        """Read the store if it has changed; whoever calls has the lock."""
        try:
            # Asked before the reading: what changes in between is read again the next time.
            version = self._source.version()
            if self._known is None or self._known.version != version:
                stored = {instrument.name: instrument for instrument in self._source.all()}
                self._known = _Known(self._shipped | stored, version)
        except StoreError as error:
            return error
        self._fresh_until = self._clock() + FRESH_SECONDS
        return None


class _Known:
    """All instruments at one moment; it never changes."""

    def __init__(self, by_name: dict[str, Instrument], version: Hashable) -> None:
        self.version = version
        self._by_name = by_name

    def find(self, symbol: str) -> Instrument | None:
        found = self._by_name.get(symbol)
        if found is not None:
            return found
        # What SymbolRef does, without making one.
        exchange, colon, name = symbol.strip().upper().partition(":")
        found = self._by_name.get(name if colon else exchange)
        return found if found is not None and (not colon or found.exchange == exchange) else None

    @cached_property
    def digest(self) -> str:
        return hashlib.blake2b(repr(self.version).encode(), digest_size=8).hexdigest()

    @cached_property
    def listed(self) -> list[Instrument]:
        return [self._by_name[name] for name in sorted(self._by_name)]

    @cached_property
    def index(self) -> SearchIndex:
        return SearchIndex(self._by_name.values())
