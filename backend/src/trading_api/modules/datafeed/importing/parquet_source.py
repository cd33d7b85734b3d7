"""A Parquet file as batches of rows of text, in a stream: a row group of any size needs the memory of a few pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Self

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from trading_api.modules.datafeed.importing.problems import FileError
from trading_api.modules.datafeed.importing.source import Batch, Counted
from trading_api.modules.datafeed.importing.steady_file import SteadyFile

NULL = "null"
_MAGIC = b"PAR1"
# The magic at both ends, and the length of what is told.
_LEAST_SIZE = 12
# Of the second one the end is encrypted, which pyarrow says.
_ENDS = (_MAGIC, b"PARE")
BATCH_ROWS = 4096
_BUFFER = 256 * 1024
_MAX_MESSAGE = 300
# The reader of numbers takes 40 characters; more decimals than this can only be zeros.
_LONG_SCALE = 18
_READABLE: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_timestamp,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_null,
)


@dataclass(frozen=True, slots=True)
class TableBatch:
    """The wanted columns, by position in the header; the cells of all others are empty."""

    numbers: Sequence[int]
    cells: dict[int, Sequence[str]]
    width: int

    def columns(self, positions: Sequence[int]) -> list[Sequence[str]] | None:
        return [self.cells[position] for position in positions]

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        columns = [self.cells.get(position, repeat("")) for position in range(self.width)]
        # The columns that nobody wants never end.
        return zip(self.numbers, zip(*columns, strict=False), strict=True)


class ParquetSource:
    """An open file. Raises OSError, and FileError where it is no readable Parquet."""

    counted: Counted = "row"
    header_number: int | None = None

    def __init__(self, file: SteadyFile) -> None:
        """It closes the file in the end, also if it raises."""
        self._steady = file
        self._read = 0
        self._wanted: list[int] = []
        try:
            _check_end(self._steady)
            with _file_errors("this is a Parquet file, but it cannot be opened"):
                self._table = pq.ParquetFile(self._steady.file, buffer_size=_BUFFER, pre_buffer=False)
                self._schema: pa.Schema = self._table.schema_arrow
                self._rows: int = self._table.metadata.num_rows
        except BaseException:
            self._steady.close()
            raise
        self.header: Sequence[str] = self._schema.names

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._steady.close()

    @property
    def fraction_read(self) -> float:
        return min(1.0, self._read / self._rows) if self._rows else 1.0

    @property
    def zone_name(self) -> str | None:
        zones = [kind.tz for kind in map(self._kind, self._wanted) if pa.types.is_timestamp(kind)]
        return zones[0] if zones else None

    def select(self, positions: Sequence[int]) -> None:
        for position in positions:
            kind = self._kind(position)
            if not any(readable(kind) for readable in _READABLE):
                raise FileError(f"column {self.header[position]!r} holds {kind}, not numbers, times or text")
        self._wanted = list(positions)

    def batches(self) -> Iterator[Batch]:
        with _file_errors("this Parquet file is damaged or cut off"):
            names = [self.header[position] for position in self._wanted]
            for batch in self._table.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
                cells = {position: _text(batch.column(self.header[position])) for position in self._wanted}
                yield TableBatch(range(self._read + 1, self._read + 1 + len(batch)), cells, len(self.header))
                self._read += len(batch)
        self._steady.check()

    def _kind(self, position: int) -> pa.DataType:
        kind = self._schema.field(position).type
        return kind.value_type if pa.types.is_dictionary(kind) else kind


def _text(column: pa.Array) -> Sequence[str]:
    """Each cell as people write it; a float by the fewest digits that are read as the same float."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.tz:
        # The same instants; no table of time zones is needed for this one.
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    elif pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    texts: list[str | None] = column.cast(pa.string()).to_pylist()
    if pa.types.is_decimal(column.type) and column.type.scale > _LONG_SCALE:
        texts = [text and _without_zeros(text) for text in texts]
    return [NULL if text is None else text for text in texts]


def _without_zeros(text: str) -> str:
    return text if "E" in text else text.rstrip("0")


def _check_end(steady: SteadyFile) -> None:
    """What a Parquet file holds is told at its end, so nothing can be read of one that lacks it."""
    steady.file.seek(max(0, steady.size - len(_MAGIC)))
    end = steady.file.read()
    steady.file.seek(0)
    if end not in _ENDS or steady.size < _LEAST_SIZE:
        raise FileError("this Parquet file is cut off or damaged: its end is missing; copy or download it again")


@contextmanager
def _file_errors(what: str) -> Iterator[None]:
    """Errors of pyarrow as FileError; those of the disk, which have a number, pass."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        told = " ".join(str(error).split())[:_MAX_MESSAGE]
        raise FileError(f"{what}: {told}") from error
