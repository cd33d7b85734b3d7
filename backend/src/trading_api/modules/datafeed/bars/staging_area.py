"""Where the rows of an import gather before anything of the store is touched.

One area for each database; each ends up with a connection that sees the rows (table `incoming`) beside the store's
own tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.rollups import lock_bars
from trading_api.modules.datafeed.bars.served import BAR_COLUMNS
from trading_api.modules.datafeed.bars.staging_turn import Turn
from trading_api.modules.datafeed.tables import bars
from trading_api.shared.store import sqlite
from trading_api.shared.store.driver import postgres_driver, sqlite_driver
from trading_api.shared.store.engine import address_of, reading
from trading_api.shared.store.errors import StoreError, store_errors
from trading_api.shared.store.migrations import migrate_engine
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
    created: bool
    """Whether `join_store` made the store."""

    def errors(self) -> AbstractContextManager[None]: ...

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None: ...

    def join_store(self, *, lock: str | None, turn: Turn | None) -> bool:
        """Begin a transaction that sees the store's tables too; False while the store is empty.

        With `lock`, a symbol: the store is created if there is none, and others who write bars of that symbol wait.
        This one waits for them as `turn` says; None: as long as every writer of the store does.
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
        self.created = False
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

    def join_store(self, *, lock: str | None, turn: Turn | None) -> bool:
        path = address_of(self._store).path
        assert path is not None
        if lock is not None:
            self.created = _create_if_missing(self._store)
        elif not _is_there(self._store):
            return False
        uri = sqlite.file_uri(path, mode="ro" if lock is None else "rw")
        self.connection.exec_driver_sql("ATTACH ? AS store", (uri,))
        self.connection.exec_driver_sql("PRAGMA store.synchronous = FULL")
        if lock is None:
            self.connection.exec_driver_sql("BEGIN")
        else:
            (turn or Turn(sqlite.BUSY_SECONDS)).take(self._begin_to_write)
            self._wait_at_most(sqlite.BUSY_SECONDS)
        return True

    def _begin_to_write(self, seconds: float) -> None:
        self._wait_at_most(seconds)
        self.connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _wait_at_most(self, seconds: float) -> None:
        sqlite_driver(self.connection).execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def close(self) -> None:
        self.connection.close()
        self._attached.dispose()


class PostgresArea:
    """A temporary table of the server, which drops it when the connection ends, for whatever reason."""

    def __init__(self, engine: Engine) -> None:
        self._store = engine
        self.created = False
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

    def join_store(self, *, lock: str | None, turn: Turn | None) -> bool:
        # The server keeps no statistics of a temporary table by itself, and plans without them are slow.
        self.connection.exec_driver_sql("ANALYZE incoming")
        self.connection.commit()
        if lock is None:
            return _is_there(self._store)
        self.created = _create_if_missing(self._store)
        if turn is None:
            lock_bars(self.connection, lock)
        else:
            turn.take(partial(self._lock, lock))
            # The rows that imports of different symbols share are waited for as patiently.
            self._wait_at_most(turn.seconds)
        return True

    def _lock(self, symbol: str, seconds: float) -> None:
        try:
            self._wait_at_most(seconds)
            lock_bars(self.connection, symbol)
        except OperationalError:
            # The server takes nothing more in this transaction. The staged rows were committed before it.
            self.connection.rollback()
            raise

    def _wait_at_most(self, seconds: float) -> None:
        # To the server 0 is for ever.
        self.connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(seconds * 1000))}")

    def close(self) -> None:
        # Not given back to the pool: the end of the connection is what drops the table.
        self.connection.invalidate()
        self.connection.close()


def _connect_to_nothing() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", uri=True, timeout=sqlite.BUSY_SECONDS, isolation_level=None)


def _is_there(engine: Engine) -> bool:
    with reading(engine) as store:
        return store is not None


def _create_if_missing(engine: Engine) -> bool:
    """Whether there was no store, so that it was made."""
    if _is_there(engine):
        return False
    try:
        return migrate_engine(engine).before is None
    except StoreError:
        # Another import may have made it meanwhile, and be writing its bars.
        if not _is_there(engine):
            raise
        return False
