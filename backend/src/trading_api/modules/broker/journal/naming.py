"""A row that does not say what it should is told by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trading_api.modules.broker.journal.record import RecordError


@contextmanager
def named_row(table: str, *key: str | int) -> Iterator[None]:
    """Whatever is read in the block is read from this row: a RecordError of it names the table and the key."""
    try:
        yield
    except RecordError as error:
        raise RecordError(f"{table}, row {' '.join(map(str, key))}: {error}") from None
