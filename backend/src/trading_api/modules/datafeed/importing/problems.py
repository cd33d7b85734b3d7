"""What is wrong with a file, by line or row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


class FileError(ValueError):
    """The file cannot be read on from a line or row (None: the file as a whole)."""

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class RowError(ValueError):
    """One row cannot be used, for one reason or several."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = tuple(messages)


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse the file."""

    number: int | None
    """Of the line or row; None is the file as a whole."""
    message: str


@dataclass(slots=True)
class ProblemLog:
    """Counts all problems and keeps the first `limit` of every source, so that a bad file cannot fill the memory."""

    limit: int
    count: int = 0
    _kept: list[Problem] = field(default_factory=list)

    def add(self, number: int | None, message: str) -> None:
        self.count += 1
        if self.count <= self.limit:
            self._kept.append(Problem(number, message))

    def extend(self, count: int, first: Sequence[Problem]) -> None:
        """Take over `count` problems that another part has found, of which it kept the first few."""
        self.count += count
        self._kept.extend(first)

    def first(self) -> tuple[Problem, ...]:
        """The first `limit`, in the order of the file."""
        return tuple(sorted(self._kept, key=lambda problem: problem.number or 0)[: self.limit])
