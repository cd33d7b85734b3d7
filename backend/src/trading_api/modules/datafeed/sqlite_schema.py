"""The tables of the SQLite store, and the file they live in."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from trading_api.modules.datafeed.sqlite_errors import is_busy
from trading_api.modules.datafeed.store import StoreError

SCHEMA_VERSION = 1
BUSY_SECONDS = 5.0
_RETRY_SECONDS = 0.01

BAR_COLUMNS = "time_ms, price_scale, open, high, low, close, volume_scale, volume"

# Prices and volumes are integers; the value is integer / 10**scale. Times are ms UTC.
_SCHEMA = (
    """CREATE TABLE {database}.instruments (
        name TEXT PRIMARY KEY, exchange TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL,
        session TEXT NOT NULL, timezone TEXT NOT NULL, pricescale INTEGER NOT NULL, minmov INTEGER NOT NULL,
        volume_precision INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE {database}.series (
        id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, resolution TEXT NOT NULL, UNIQUE (symbol, resolution)
    )""",
    """CREATE TABLE {database}.bars (
        series_id INTEGER NOT NULL REFERENCES series (id), time_ms INTEGER NOT NULL,
        price_scale INTEGER NOT NULL, open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,
        close INTEGER NOT NULL, volume_scale INTEGER NOT NULL, volume INTEGER NOT NULL,
        PRIMARY KEY (series_id, time_ms)
    ) WITHOUT ROWID""",
)


def create_file(path: Path) -> None:
    """Make an empty 0600 file, in a 0700 folder if the folder is missing too; an existing one is left as it is.

    SQLite gives its -wal and -shm files the mode of the main file. Raises OSError.
    """
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def file_uri(path: Path, *, mode: str) -> str:
    """The URI of an existing file, `mode` ro or rw."""
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


def schema_version(connection: sqlite3.Connection, path: Path, *, database: str = "main") -> int:
    """0 for a file without tables. Raises StoreError for a version that this program does not know."""
    version: int = connection.execute(f"PRAGMA {database}.user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: schema version {version} is newer than {SCHEMA_VERSION}, the newest known; upgrade the program"
        )
    return version


def migrate(connection: sqlite3.Connection, path: Path, *, database: str = "main") -> None:
    """Create missing tables; safe when several processes do it at once. Raises StoreError, sqlite3.Error."""
    if schema_version(connection, path, database=database) == SCHEMA_VERSION:
        return
    _use_write_ahead_log(connection, database)
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been first while this one waited for the lock.
    if schema_version(connection, path, database=database) < SCHEMA_VERSION:
        for statement in _SCHEMA:
            connection.execute(statement.format(database=database))
        connection.execute(f"PRAGMA {database}.user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _use_write_ahead_log(connection: sqlite3.Connection, database: str) -> None:
    """SQLite does not wait for a lock when it changes the journal mode, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA {database}.journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
