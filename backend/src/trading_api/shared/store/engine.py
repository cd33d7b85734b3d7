"""From a store URL to a SQLAlchemy engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, Table, func, select

from trading_api.shared.store.address import parse_store_url
from trading_api.shared.store.transactions import address_of, after_commit, reading, writing

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["address_of", "after_commit", "hold_lock", "open_engine", "place_of", "reading", "upsert", "writing"]


def open_engine(url: str) -> Engine:
    """An engine for `url`; nothing is opened or made yet. `engine.dispose()` closes its connections.

    Raises StoreUrlError.
    """
    address = parse_store_url(url)
    if address.path is None:
        from trading_api.shared.store.postgres_engine import postgres_engine

        return postgres_engine(url, address)
    from trading_api.shared.store.sqlite_engine import sqlite_engine

    return sqlite_engine(address.path, address)


def place_of(url: str) -> str:
    """The file, or host:port/database; for messages. Raises StoreUrlError."""
    return parse_store_url(url).place


def hold_lock(connection: Connection, name: str) -> None:
    """Wait for the lock `name` and hold it until the transaction of `writing` ends.

    SQLite has one lock for everything, which `writing` holds already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def upsert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT into `table` that has `on_conflict_do_update`, `on_conflict_do_nothing` and `excluded`."""
    # Loading the dialect that is not used would cost every server memory.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
