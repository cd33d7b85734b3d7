"""What the datafeed needs of a store of instruments and bars. `sqlite_store.py` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.history import SeriesReader
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution


class StoreError(Exception):
    """The store cannot do what was asked (locked, full, unreadable, too new); nothing of it was done."""


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Names one series of bars; `symbol` is an instrument's name."""

    symbol: str
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class Difference:
    """A bar that stands twice with other numbers: on `line` of the file, and on `other_line` or in the store (None)."""

    line: int
    bar: ScaledBar
    other_line: int | None
    other: ScaledBar


@dataclass(frozen=True, slots=True)
class Differences:
    """How many there are, and the first few by line."""

    count: int
    first: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """What became of rows whose time an earlier row has: repeats are dropped and counted, the others listed."""

    merged: int
    contradictions: Differences


@dataclass(frozen=True, slots=True)
class Comparison:
    """What committing the staged bars would do to the store."""

    inserted: int
    unchanged: int
    changed: Differences


class Staging(Protocol):
    """Bars on their way into one series. Nobody else sees them before `commit`. Call in the order written here."""

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None:
        """Take over bars, each with its line in the file, in any order; as often as needed. Raises StoreError."""

    def merge(self, *, limit: int) -> Merge:
        """Keep one bar per time; list the first `limit` contradictions. Raises StoreError."""

    def compare(self, *, limit: int, lock: bool) -> Comparison:
        """Compare with the store; list the first `limit` changes. Raises StoreError.

        `lock` creates the store if there is none, and keeps other writers out until the staging ends.
        """

    def commit(self, instrument: Instrument | None) -> None:
        """Write it all at once, after a locked compare: bars, and the instrument if one is given. Raises StoreError."""


class Store(Protocol):
    """Instruments and bars, readable from any thread and process while another writes."""

    def instruments(self) -> list[Instrument]:
        """The instruments that were added by imports, by name. Raises StoreError."""

    def resolutions(self) -> dict[str, tuple[Resolution, ...]]:
        """Symbol → its stored resolutions, finest first. Raises StoreError."""

    def series(self, key: SeriesKey) -> SeriesReader:
        """A reader of one series; empty when nothing is stored. Its methods raise StoreError."""

    def staging(self, key: SeriesKey) -> AbstractContextManager[Staging]:
        """Start an import. Leaving without a commit writes nothing. Raises StoreError."""

    def close(self) -> None:
        """Free what the store holds open."""
