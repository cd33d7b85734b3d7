"""Where the rows of an import gather before anything of the store is touched.

One area for each database; each ends up with a connection that sees the rows (table `incoming`) beside the store's
own tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, create_engine
from sqlalchemy.pool import NullPool

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.rollups import lock_bars
from trading_api.modules.datafeed.bars.served import BAR_COLUMNS
from trading_api.modules.datafeed.tables import bars
from trading_api.shared.store import sqlite
from trading_api.shared.store.driver import postgres_driver, sqlite_driver
from trading_api.shared.store.engine import address_of, reading, writing
from trading_api.shared.store.errors import store_errors
from trading_api.shared.store.schema import INT64

# A temporary table: gone with the connection, also when this process is killed.
incoming = Table(
    "incoming",
    MetaData(),
    Column("time_ms", INT64, primary_key=True),
    Column("line", Integer, primary_key=True),
    *(Column(name, bars.c[name].type, nullable=False) for name in BAR_COLUMNS if name != "time_ms"),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)

_NAMES = f"line, {', '.join(BAR_COLUMNS)}"
_INSERT = f"INSERT INTO incoming ({_NAMES}) VALUES (?, {', '.join('?' for _ in BAR_COLUMNS)})"  # noqa: S608
_COPY = f"COPY incoming ({_NAMES}) FROM STDIN"
_CACHE_KIB = 16_384


class StagingArea(Protocol):
    """Rows of one import; `errors` turns the errors of the place they gather in into a StoreError."""

    connection: Connection

    def errors(self) -> AbstractContextManager[None]: ...

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None: ...

    def join_store(self, *, lock: str | None) -> bool:
        """Begin a transaction that sees the store's tables too; False while the store is empty.

        With `lock`, a symbol: the store is created if there is none, and others who write bars of that symbol wait.
        """

    def close(self) -> None:
        """Rolls back what was not committed."""


def staging_area(engine: Engine) -> StagingArea:
    """Raises StoreError."""
    return PostgresArea(engine) if engine.dialect.name == "postgresql" else SqliteArea(engine)


class SqliteArea:
    """A connection to nothing but SQLite's temporary file, which is deleted as soon as it is open.

    The store is attached only when it is needed: an import that is refused, or only a check, makes no file.
    """

    def __init__(self, engine: Engine) -> None:
        self._store = engine
        self._attached = create_engine("sqlite://", creator=_connect_to_nothing, poolclass=NullPool)
        with self.errors():
            self.connection = self._attached.connect()
            driver = sqlite_driver(self.connection)
            # Nobody needs these rows after a crash.
            driver.execute("PRAGMA temp.journal_mode = OFF")
            driver.execute(f"PRAGMA temp.cache_size = -{_CACHE_KIB}")
            incoming.create(self.connection)
            self.connection.commit()

    def errors(self) -> AbstractContextManager[None]:
        return store_errors("the temporary file of the import")

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None:
        driver = sqlite_driver(self.connection)
        driver.execute("BEGIN")
        driver.executemany(_INSERT, [(line, *bar) for line, bar in rows])
        driver.execute("COMMIT")

    def join_store(self, *, lock: str | None) -> bool:
        path = address_of(self._store).path
        assert path is not None
        if not _is_there(self._store, create=lock is not None):
            return False
        uri = sqlite.file_uri(path, mode="ro" if lock is None else "rw")
        self.connection.exec_driver_sql("ATTACH ? AS store", (uri,))
        self.connection.exec_driver_sql("PRAGMA store.synchronous = FULL")
        self.connection.exec_driver_sql("BEGIN" if lock is None else "BEGIN IMMEDIATE")
        return True

    def close(self) -> None:
        self.connection.close()
        self._attached.dispose()


class PostgresArea:
    """A temporary table of the server, which drops it when the connection ends, for whatever reason."""

    def __init__(self, engine: Engine) -> None:
        self._store = engine
        with self.errors():
            self.connection = engine.connect()
            incoming.create(self.connection)
            self.connection.commit()

    def errors(self) -> AbstractContextManager[None]:
        return store_errors(address_of(self._store).place)

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None:
        with postgres_driver(self.connection).cursor() as cursor, cursor.copy(_COPY) as copy:
            for line, bar in rows:
                copy.write_row((line, *bar))
        postgres_driver(self.connection).commit()

    def join_store(self, *, lock: str | None) -> bool:
        # The server keeps no statistics of a temporary table by itself, and plans without them are slow.
        self.connection.exec_driver_sql("ANALYZE incoming")
        self.connection.commit()
        if not _is_there(self._store, create=lock is not None):
            return False
        if lock is not None:
            lock_bars(self.connection, lock)
        return True

    def close(self) -> None:
        # Not given back to the pool: the end of the connection is what drops the table.
        self.connection.invalidate()
        self.connection.close()


def _connect_to_nothing() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", uri=True, timeout=sqlite.BUSY_SECONDS, isolation_level=None)


def _is_there(engine: Engine, *, create: bool) -> bool:
    with reading(engine) as store:
        there = store is not None
    if create and not there:
        with writing(engine):
            return True
    return there
