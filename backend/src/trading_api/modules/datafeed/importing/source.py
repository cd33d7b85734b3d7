"""What a file of bars is to the import: a header, and rows in batches, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Protocol, Self

Counted = Literal["line", "row"]
"""What the numbers of rows count: lines of a text, the header among them, or rows of a table; both from 1."""


class Batch(Protocol):
    """Some rows that follow each other, small enough for memory. Their cells are text, whatever the file holds."""

    @property
    def numbers(self) -> Sequence[int]:
        """Where each row stands in the file."""

    def columns(self, positions: Sequence[int]) -> list[Sequence[str]] | None:
        """The cells of these columns; None unless every row has exactly the columns of the header."""

    def rows(self) -> Iterable[tuple[int, Sequence[str]]]:
        """Each row with its number, with as many cells as it has."""


class Source(Protocol):
    """An open file. A context manager."""

    counted: Counted
    header: Sequence[str]
    header_number: int | None
    """The line that it stands on; None where it is no line."""

    @property
    def fraction_read(self) -> float:
        """How far the file has been read, 0 to 1."""

    @property
    def zone_name(self) -> str | None:
        """The time zone that the file gives for all its times, if any."""

    def select(self, positions: Sequence[int]) -> None:
        """Say which columns are wanted, before the first batch. Raises FileError for one that holds no such cells."""

    def batches(self) -> Iterator[Batch]:
        """The rows after the header. Raises FileError where the file cannot be read on, and OSError."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
