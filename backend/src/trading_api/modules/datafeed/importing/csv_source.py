"""CSV text as batches of rows with line numbers, in a stream."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Self

from trading_api.modules.datafeed.importing.problems import FileError
from trading_api.modules.datafeed.importing.source import Batch, Counted
from trading_api.modules.datafeed.importing.steady_file import SteadyFile
from trading_api.modules.datafeed.importing.text_lines import Lines, read_lines

DELIMITERS = ",;\t|"
_BLANK = f" \r{DELIMITERS}"
_CARRIAGE_RETURN = (
    "a carriage return stands alone within the line, though other lines end with a line feed; "
    "save the file with one kind of line ends"
)


@dataclass(frozen=True, slots=True)
class PlainBatch:
    """Lines without a quote, so that every delimiter ends a cell."""

    numbers: Sequence[int]
    lines: Sequence[str]
    delimiter: str
    width: int

    def columns(self, positions: Sequence[int]) -> list[Sequence[str]] | None:
        found = set(map(str.count, self.lines, repeat(self.delimiter)))
        if len(found) != 1:
            return None
        width = found.pop() + 1
        cells = self.delimiter.join(self.lines).split(self.delimiter)
        # A delimiter at the end of every line makes one empty column more.
        if width < self.width or any(cell.strip() for n in range(self.width, width) for cell in cells[n::width]):
            return None
        return [cells[position::width] for position in positions]

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        return zip(self.numbers, (line.split(self.delimiter) for line in self.lines), strict=True)


@dataclass(frozen=True, slots=True)
class QuotedBatch:
    """Rows as Python's csv reader splits them."""

    numbers: Sequence[int]
    cells: Sequence[Sequence[str]]
    width: int

    def columns(self, positions: Sequence[int]) -> list[Sequence[str]] | None:
        if set(map(len, self.cells)) != {self.width}:
            return None
        columns = list(zip(*self.cells, strict=True))
        return [columns[position] for position in positions]

    def rows(self) -> Iterable[tuple[int, Sequence[str]]]:
        return zip(self.numbers, self.cells, strict=True)


class CsvSource:
    """An open file: its header, then its rows. Raises OSError, and FileError where it is no CSV."""

    counted: Counted = "line"
    zone_name = None

    def __init__(self, file: SteadyFile) -> None:
        """It closes the file in the end, also if it raises."""
        self._file = file
        try:
            self._blocks = read_lines(self._file.file)
            self._ahead: deque[str] = deque()
            self._number = 1
            head = self._first_line()
            self.header_number: int | None = self._number - 1
            self._delimiter = max(DELIMITERS, key=head.count)
            self.header: Sequence[str] = _header(head, self.header_number, self._delimiter)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def fraction_read(self) -> float:
        return min(1.0, self._file.file.tell() / self._file.size) if self._file.size else 1.0

    def select(self, positions: Sequence[int]) -> None:
        """Text can hold anything."""

    def batches(self) -> Iterator[Batch]:
        while self._look_ahead():
            block = Lines(self._number, list(self._ahead))
            self._number += len(self._ahead)
            self._ahead.clear()
            plain = _without_returns(block.lines)
            if plain is not None:
                numbers = range(block.first, block.first + len(plain))
                yield PlainBatch(numbers, plain, self._delimiter, len(self.header))
            else:
                yield from self._quoted(block)
        self._file.check()

    def _look_ahead(self) -> bool:
        """Whether there is another line; then some stand in `_ahead`."""
        if not self._ahead and (block := next(self._blocks, None)) is not None:
            self._ahead.extend(block.lines)
        return bool(self._ahead)

    def _first_line(self) -> str:
        """The first that is not blank; rows that are have no content either."""
        lines = self._singly()
        head = next((line for line in lines if line.strip(_BLANK)), None)
        if head is None:
            raise FileError("the file holds nothing but blank lines" if self._number > 1 else "the file is empty")
        return head

    def _singly(self) -> Iterator[str]:
        """The lines ahead, one by one; what has not been taken stays for the next batch."""
        while self._look_ahead():
            self._number += 1
            yield self._ahead.popleft()

    def _quoted(self, block: Lines) -> Iterator[Batch]:
        """The rows that start in a block; a quoted cell may take more lines than the block has."""
        lines = (line + "\n" for line in chain(block.lines, self._singly()))
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        numbers: list[int] = []
        cells: list[list[str]] = []
        problem: FileError | None = None
        while problem is None and reader.line_num < len(block.lines):
            number = block.first + reader.line_num
            try:
                cells.append(next(reader))
                numbers.append(number)
            except csv.Error as error:
                problem = _csv_problem(error, number)
            except FileError as error:
                problem = error
        yield QuotedBatch(numbers, cells, len(self.header))
        if problem is not None:
            raise problem


def _header(line: str, number: int, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.removesuffix("\r")], delimiter=delimiter), [])
    except csv.Error as error:
        raise _csv_problem(error, number) from error


def _csv_problem(error: csv.Error, number: int) -> FileError:
    told = _CARRIAGE_RETURN if str(error).startswith("new-line character") else error
    return FileError(f"not valid CSV: {told}", number)


def _without_returns(lines: list[str]) -> list[str] | None:
    """Lines that need no CSV reader, without the carriage returns at their ends; None if there are none such."""
    text = "\n".join(lines)
    if '"' in text:
        return None
    if "\r" not in text:
        return lines
    stripped = text.replace("\r\n", "\n").removesuffix("\r")
    return None if "\r" in stripped else stripped.split("\n")
