"""The SQLite file of a store: how it is made and opened. Imports no SQLAlchemy."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from trading_api.shared.store.errors import StoreError, is_busy
from trading_api.shared.store.revision import FIRST, VERSION_TABLE

BUSY_SECONDS = 5.0
"""How long a writer waits for another one."""
_RETRY_SECONDS = 0.01
# Stores from before there were numbered migrations carry their version in the file's header.
_BEFORE_MIGRATIONS = 1


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
    """The URI of an existing file, `mode` ro or rw; with neither SQLite makes one that is missing."""
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open an existing file for any thread, in autocommit: whoever writes begins its transactions itself.

    A file that may not be written opens for reading. Raises sqlite3.Error.
    """
    uri = file_uri(path, mode="rw")
    connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def file_identity(path: Path) -> tuple[int, int] | None:
    """Device and inode; None if there is no file. Another one means that a backup took the file's place."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def read_revision(connection: sqlite3.Connection, place: str) -> str | None:
    """The schema's revision; None for a file without tables.

    Raises StoreError for a file of another program, sqlite3.Error for one that is no database.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if VERSION_TABLE in tables:
        row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
        return str(row[0]) if row else None
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == _BEFORE_MIGRATIONS:
        return FIRST
    if version or tables:
        raise StoreError(f"{place}: holds the tables of another program; choose another file")
    return None


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers go on while somebody writes. SQLite does not wait for a lock here, so this does. sqlite3.Error."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
