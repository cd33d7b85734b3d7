"""What the datafeed needs of a store of bars. `bar_store.py` implements it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import SeriesReader
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.store.errors import StoreError as StoreError

if TYPE_CHECKING:
    from trading_api.modules.datafeed.bars.staging_turn import Turn


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


NO_DIFFERENCES = Differences(count=0, first=())


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
    created: bool = False
    """Whether the store was made for it."""


class Staging(Protocol):
    """Bars on their way into one series. Nobody else sees them before `commit`. Call in the order written here."""

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None:
        """Take over bars, each with its line in the file, in any order; as often as needed. Raises StoreError."""

    def merge(self, *, limit: int) -> Merge:
        """Keep one bar per time; list the first `limit` contradictions. Raises StoreError."""

    def compare(self, *, limit: int, lock: bool, turn: Turn | None = None) -> Comparison:
        """Compare with the imported bars of the store; list the first `limit` changes. Raises StoreError.

        `lock` creates the store if there is none, and keeps other writers of the symbol's bars out until the staging
        ends; it waits for them as `turn` says, or as long as every writer of the store does.
        """

    def commit(self, instrument: Instrument, *, new: bool, progress: Callable[[float], None] | None = None) -> None:
        """Write it all at once, after a locked compare: the bars, and all coarser ones that follow from them.

        `new`: write `instrument` too; where an import that ran meanwhile has written it, its facts stay and the finer
        precision wins. `progress` is told the fraction done (0 to 1). Raises StoreError, and ValueError for an
        instrument whose session, time zone or calendar cannot be read; then nothing has been written.
        """


class Store(Protocol):
    """Bars, readable from any thread and process while another writes.

    What is served at a resolution: bars computed from finer ones, and imported ones where there is none of these.
    """

    @property
    def place(self) -> str:
        """The file, or host:port/database; for messages."""

    def resolutions(self) -> dict[str, tuple[Resolution, ...]]:
        """Symbol → the resolutions that can be served, finest first; imported and computed. Raises StoreError."""

    def resolutions_of(self, symbol: str) -> tuple[Resolution, ...]:
        """The same of one symbol, for a fraction of the price. Raises StoreError."""

    def series(self, key: SeriesKey) -> SeriesReader:
        """A reader of the served bars; empty when there are none. Its methods raise StoreError."""

    def staging(self, key: SeriesKey) -> AbstractContextManager[Staging]:
        """Start an import. Leaving without a commit writes nothing. Raises StoreError."""

    def rebuild(self, instrument: Instrument) -> None:
        """Compute a symbol's coarser bars anew, after its session, time zone or calendar changed. Raises StoreError.

        `rollups.rebuild` does the same within a transaction that also writes the change.
        """

    def close(self) -> None:
        """Free what the store holds open."""
