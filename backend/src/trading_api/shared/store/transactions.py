"""The two kinds of transaction on a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from trading_api.shared.store.address import StoreAddress
from trading_api.shared.store.driver import revision_of
from trading_api.shared.store.errors import database_errors
from trading_api.shared.store.options import ADDRESS, WRITES
from trading_api.shared.store.revision import need_current

_CHECKED = "trading_checked"
_AFTER_COMMIT = "trading_after_commit"


def address_of(engine: Engine) -> StoreAddress:
    """Where an engine of `open_engine` leads."""
    address = engine.get_execution_options()[ADDRESS]
    assert isinstance(address, StoreAddress)
    return address


@contextmanager
def reading(engine: Engine) -> Iterator[Connection | None]:
    """One snapshot of the store to read from; None while there is no store, or no table in it.

    Never makes a file. Raises StoreError, also for an error of the database inside the block.
    """
    address = address_of(engine)
    if address.path is not None and not address.path.exists():
        yield None
        return
    with database_errors(address.place), engine.connect() as connection:
        if not _is_current(connection, address.place):
            yield None
            return
        _use_snapshot(connection)
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed at the end of the block; an exception rolls all of it back.

    SQLite: holds the only write lock from the start, so what was read stays true until the commit. PostgreSQL: others
    write too; `hold_lock` keeps out those that ask for the same lock. A store that is not there, or empty, is created.
    Raises StoreError, also for an error of the database inside the block or at its commit.
    """
    address = address_of(engine)
    _create_if_missing(engine, address)
    with database_errors(address.place), engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        connection.info[_AFTER_COMMIT] = noted = list[Callable[[], None]]()
        with connection.begin():
            yield connection
        for done in noted:
            done()


def after_commit(connection: Connection, done: Callable[[], None]) -> None:
    """Have `done` called once the transaction of `writing` is stored, and never if it is not. It must not raise."""
    noted: list[Callable[[], None]] = connection.info[_AFTER_COMMIT]
    noted.append(done)


def _create_if_missing(engine: Engine, address: StoreAddress) -> None:
    if address.path is None or address.path.exists():
        with database_errors(address.place), engine.connect() as connection:
            if _is_current(connection, address.place):
                return
    from trading_api.shared.store.migrations import migrate_engine

    migrate_engine(engine)


def _is_current(connection: Connection, place: str) -> bool:
    """False for an empty store; asked once per connection. Raises StoreError for a schema we cannot work with."""
    if connection.info.get(_CHECKED):
        return True
    current = need_current(revision_of(connection, place), place)
    connection.info[_CHECKED] = current
    return current


def _use_snapshot(connection: Connection) -> None:
    """SQLite's transactions are snapshots by themselves."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
