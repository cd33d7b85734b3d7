"""CSV text as rows with line numbers, in a stream: a file of any size needs the memory of one row."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from trading_api.modules.datafeed.importing.problems import FileError

MAX_LINE = 64 * 1024
DELIMITERS = ",;\t"
_BOM = b"\xef\xbb\xbf"


class CsvSource:
    """An open file: its header, then its rows. A context manager. Raises OSError, and FileError where it is no CSV."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self._lines = self._decoded_lines()
            self._read = 0
            first = next(self._lines, None)
            if first is None:
                raise FileError("the file is empty")
            self._delimiter = max(DELIMITERS, key=first.count)
            self.header = next(csv.reader([first], delimiter=self._delimiter), [])
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def fraction_read(self) -> float:
        """How far the file has been read, 0 to 1."""
        return min(1.0, self._read / self._size) if self._size else 1.0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows after the header, each with the line that it starts on; blank ones are left out."""
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            line = reader.line_num + 2
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise FileError(f"not valid CSV: {error}", line) from error
            if any(cell.strip() for cell in row):
                yield line, row

    def _decoded_lines(self) -> Iterator[str]:
        number = 0
        while raw := self._file.readline(MAX_LINE + 1):
            number += 1
            self._read += len(raw)
            if number == 1:
                raw = raw.removeprefix(_BOM)
            yield _decode(raw, number)


def _decode(raw: bytes, number: int) -> str:
    if b"\0" in raw:
        raise FileError("binary data or UTF-16, not CSV text; export the file as CSV in UTF-8", number)
    if len(raw) > MAX_LINE:
        raise FileError(f"the line is longer than {MAX_LINE} bytes; is this a CSV file?", number)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = f"byte 0x{raw[error.start]:02x} at position {error.start}"
        raise FileError(f"not UTF-8 text ({bad}); export the file as CSV in UTF-8", number) from error
