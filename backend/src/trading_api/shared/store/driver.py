"""Beneath SQLAlchemy: the driver's own connection, for what only it can do or does faster."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, cast

from trading_api.shared.store import sqlite
from trading_api.shared.store.revision import VERSION_TABLE

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow
    from sqlalchemy import Connection


def sqlite_driver(connection: Connection) -> sqlite3.Connection:
    """The connection to the file; what it executes is part of the transaction that `connection` is in."""
    assert connection.dialect.name == "sqlite"
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def postgres_driver(connection: Connection) -> psycopg.Connection[TupleRow]:
    """The connection to the server; what it executes is part of the transaction that `connection` is in."""
    assert connection.dialect.name == "postgresql"
    return cast("psycopg.Connection[TupleRow]", connection.connection.driver_connection)


def revision_of(connection: Connection, place: str) -> str | None:
    """The schema's revision, None where no table of ours stands; begins no transaction that stays.

    Raises StoreError for a file of another program, and the driver's errors.
    """
    if connection.dialect.name == "sqlite":
        return sqlite.read_revision(sqlite_driver(connection), place)
    return _postgres_revision(postgres_driver(connection))


def _postgres_revision(driver: psycopg.Connection[TupleRow]) -> str | None:
    idle = driver.info.transaction_status.name == "IDLE"
    try:
        found = driver.execute("SELECT to_regclass(%s)::text", [VERSION_TABLE]).fetchone()
        if found is None or found[0] is None:
            return None
        row = driver.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    finally:
        if idle:
            driver.rollback()
