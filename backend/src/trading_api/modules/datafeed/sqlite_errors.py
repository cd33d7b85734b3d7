"""What SQLite's errors mean to the person who reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trading_api.modules.datafeed.store import StoreError

_ADVICE = {
    sqlite3.SQLITE_BUSY: "another process is writing to it; try again when it has finished",
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_NOTADB: "choose another file, or restore this one from a backup",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup",
    sqlite3.SQLITE_READONLY: "check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "check the path, and the permissions of the file and its folder",
}


@contextmanager
def store_errors(place: Path | str) -> Iterator[None]:
    """Turn sqlite3.Error and OSError into a StoreError that names the place and says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{place}: {_explain(error)}") from error
    except OSError as error:
        raise StoreError(f"{place}: {error.strerror or error}") from error


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection stood in the way."""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def _primary_code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    # The upper bits say more than is needed here (SQLITE_BUSY_SNAPSHOT and the like).
    return code & 0xFF


def _explain(error: sqlite3.Error) -> str:
    advice = _ADVICE.get(_primary_code(error))
    return f"{error}: {advice}" if advice else str(error)
