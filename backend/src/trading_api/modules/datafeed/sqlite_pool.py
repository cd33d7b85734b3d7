"""Read connections to one SQLite file, lent to one thread at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from trading_api.modules.datafeed.sqlite_schema import BUSY_SECONDS, file_uri, schema_version


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: sqlite3.Connection
    file_id: tuple[int, int]


class ReadPool:
    """Keeps as many connections as were ever in use at once, until `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[_Idle] = []
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection | None]:
        """A connection, or None while there is no file or no table in it. Raises StoreError, sqlite3.Error."""
        borrowed = self._take()
        try:
            yield borrowed.connection if borrowed else None
        except BaseException:
            if borrowed:
                borrowed.connection.close()
            raise
        if borrowed:
            self._give_back(borrowed)

    def close(self) -> None:
        """Close all; a connection still lent is closed when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for entry in idle:
            entry.connection.close()

    def _take(self) -> _Idle | None:
        file_id = self._file_id()
        if file_id is None:
            return None
        while (entry := self._pop()) is not None:
            # A file that was replaced (a restored backup) lives on under its old connections only.
            if entry.file_id == file_id:
                return entry
            entry.connection.close()
        return self._open(file_id)

    def _open(self, file_id: tuple[int, int]) -> _Idle | None:
        uri = file_uri(self._path, mode="ro")
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            ready = schema_version(connection, self._path) > 0
        except BaseException:
            connection.close()
            raise
        if ready:
            return _Idle(connection, file_id)
        connection.close()
        return None

    def _pop(self) -> _Idle | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, entry: _Idle) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(entry)
                return
        entry.connection.close()

    def _file_id(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino
