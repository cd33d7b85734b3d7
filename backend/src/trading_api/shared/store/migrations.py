"""Bringing the schema of a store to the revision that this program needs. Loads Alembic only when there is work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trading_api.shared.store import sqlite
from trading_api.shared.store.address import parse_store_url
from trading_api.shared.store.errors import database_errors, store_errors
from trading_api.shared.store.quick import sqlite_revision
from trading_api.shared.store.revision import FIRST, HEAD, Standing, need_current, standing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

SCRIPTS = Path(__file__).parents[2] / "migrations"
# Any number that no other program of the same database is likely to lock.
_LOCK_KEY = 0x7261_6465_7374_6F72
_PATIENCE_S = 15
"""How long a migration waits for another one."""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What became of the store at `place`. None: it is empty, or not there."""

    place: str
    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


def migrate(url: str) -> MigrationReport:
    """Create the store at `url`, or bring it to HEAD: all of it or nothing. Several at once wait for each other.

    Raises StoreUrlError, StoreError.
    """
    from trading_api.shared.store.engine import open_engine

    engine = open_engine(url)
    try:
        return migrate_engine(engine)
    finally:
        engine.dispose()


def check_schema(url: str) -> None:
    """For a start-up: raises StoreError unless the store can be worked with; one that is empty or missing can be."""
    need_current(revision_at(url), parse_store_url(url).place)


def revision_at(url: str) -> str | None:
    """The revision of the store at `url`, None if it is empty or not there. Raises StoreUrlError, StoreError."""
    address = parse_store_url(url)
    if address.path is not None:
        return sqlite_revision(address)
    from trading_api.shared.store.driver import revision_of
    from trading_api.shared.store.engine import open_engine

    engine = open_engine(url)
    try:
        with database_errors(address.place), engine.connect() as connection:
            return revision_of(connection, address.place)
    finally:
        engine.dispose()


def migrate_engine(engine: Engine) -> MigrationReport:
    """`migrate` for an engine of `open_engine`. Raises StoreError."""
    from trading_api.shared.store.transactions import address_of

    address = address_of(engine)
    with store_errors(address.place):
        if address.path is not None:
            sqlite.create_file(address.path)
        with _locked(engine) as connection:
            return _upgrade(connection, address.place)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """One transaction beside which no other migration of the same store runs."""
    from trading_api.shared.store.options import WRITES

    with engine.connect() as connection:
        try:
            if engine.dialect.name == "sqlite":
                _prepare_sqlite(connection)
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE_S}s'")
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
                yield connection
        finally:
            # Its settings are not what others expect of a connection.
            connection.invalidate()


def _prepare_sqlite(connection: Connection) -> None:
    """What takes effect between transactions only."""
    from trading_api.shared.store.driver import sqlite_driver

    driver = sqlite_driver(connection)
    driver.execute(f"PRAGMA busy_timeout = {_PATIENCE_S * 1000}")
    sqlite.use_write_ahead_log(driver)
    # Changing a table means replacing it, which the keys that refer to it forbid.
    driver.execute("PRAGMA foreign_keys = OFF")


def _upgrade(connection: Connection, place: str) -> MigrationReport:
    from trading_api.shared.store.driver import revision_of

    before = revision_of(connection, place)
    if standing(before, place) is not Standing.CURRENT:
        _run_scripts(connection, before)
    return MigrationReport(place, before, HEAD)


def _run_scripts(connection: Connection, before: str | None) -> None:
    import logging

    from alembic import command
    from alembic.config import Config

    # It tells of each of its plugins and steps; what was done is in the report.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config(attributes={"connection": connection})
    # Its parser takes % for a reference.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    if before == FIRST:
        # Made before migrations were counted: its tables are what the first one would create.
        command.stamp(config, FIRST)
    command.upgrade(config, HEAD)
