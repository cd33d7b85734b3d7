"""A SQLAlchemy engine on one SQLite file."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from trading_api.shared.store import sqlite
from trading_api.shared.store.address import StoreAddress
from trading_api.shared.store.options import ADDRESS, WRITES

_FILE = "trading_file"
_KEPT_OPEN = 8


def sqlite_engine(path: Path, address: StoreAddress) -> Engine:
    """Opens `path` when a connection is asked for; it must exist by then. Any number of threads at once."""
    path = path.absolute()
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite.connect(path),
        poolclass=QueuePool,
        pool_size=_KEPT_OPEN,
        max_overflow=-1,
        pool_use_lifo=True,
        execution_options={ADDRESS: address},
    )
    event.listen(engine, "begin", _begin)
    _notice_another_file(engine, path)
    return engine


def _begin(connection: Connection) -> None:
    """The driver begins nothing by itself: it would do so late, and leave some statements out."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _notice_another_file(engine: Engine, path: Path) -> None:
    """A file that was replaced (a restored backup) lives on under its old connections only: they are dropped."""

    def remember(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info[_FILE] = sqlite.file_identity(path)

    def compare(_: DBAPIConnection, entry: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
        if entry.info.get(_FILE) != sqlite.file_identity(path):
            raise DisconnectionError("another file took the store's place")

    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)
