"""The instruments that a store holds: added by imports, or put there to replace shipped ones."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import asdict
from typing import cast

from sqlalchemy import Connection, Engine, select, text

from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.tables import instruments
from trading_api.shared.store.driver import sqlite_driver
from trading_api.shared.store.engine import reading, upsert

_SEEN = "datafeed_instruments_seen"
_REST, _MOST_REST_SECONDS = 10, 1.0
_COLUMNS = [column.name for column in instruments.columns]
# The whole table, each column as one text: SQLite has no number that changes with one table only.
_EACH = ", ".join(f"group_concat({name}, char(30))" for name in _COLUMNS)
_SQLITE_CONTENT = text(f"SELECT count(*), {_EACH} FROM instruments")  # noqa: S608
# Every change gives its row a newer transaction number, and a row that is gone changes the count.
_POSTGRES_CONTENT = text("SELECT count(*), coalesce(sum(xmin::text::bigint), 0)::text FROM instruments")
_POSTGRES_COMMITS = text("SELECT pg_current_snapshot()::text")


class InstrumentStore:
    """Reads the table of instruments; a store that is not there is empty. One thread at a time; raises StoreError."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds."""
        self._engine = engine
        self._clock = clock
        self._content: Hashable = None
        self._is_old = True
        self._look_again_at = 0.0

    def all(self) -> list[Instrument]:
        """By name."""
        with reading(self._engine) as connection:
            return [] if connection is None else stored_instruments(connection)

    def version(self) -> Hashable:
        """A value that is another one after every change of an instrument.

        After any commit all instruments are looked at. Where there are so many of them that this takes long, and
        somebody commits all the time, it may be left out for ten times as long, but for no more than a second.
        """
        with reading(self._engine) as connection:
            if connection is None:
                self._content, self._is_old = None, True
            else:
                self._look(connection)
        return self._content

    def _look(self, connection: Connection) -> None:
        commits = _commits(connection)
        if connection.info.get(_SEEN) != commits:
            connection.info[_SEEN] = commits
            self._is_old = True
        started = self._clock()
        if self._is_old and started >= self._look_again_at:
            self._content = _content(connection)
            self._is_old = False
            took = self._clock() - started
            self._look_again_at = started + took + min(_REST * took, _MOST_REST_SECONDS)


def stored_instruments(connection: Connection) -> list[Instrument]:
    """By name."""
    rows = connection.execute(select(instruments).order_by(instruments.c.name))
    # Names sort by their characters' numbers here, whatever the database's collation says.
    return sorted((Instrument(*row) for row in rows), key=lambda instrument: instrument.name)


def write_instruments(connection: Connection, changed: Iterable[Instrument]) -> None:
    """Add instruments, or give known names these facts, within the transaction of `writing`."""
    rows = [asdict(instrument) for instrument in changed]
    if not rows:
        return
    statement = upsert(connection, instruments)
    facts = {name: statement.excluded[name] for name in _COLUMNS if name != "name"}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=facts), rows)


def _content(connection: Connection) -> Hashable:
    statement = _SQLITE_CONTENT if connection.dialect.name == "sqlite" else _POSTGRES_CONTENT
    count, *content = connection.execute(statement).one()
    # The same in every process: instances that read one store agree about it.
    text = "\x1f".join(map(str, content))
    return count, hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _commits(connection: Connection) -> Hashable:
    if connection.dialect.name == "postgresql":
        return cast("str", connection.execute(_POSTGRES_COMMITS).scalar_one())
    driver = sqlite_driver(connection)
    # SQLite counts the commits of others, and for each connection its own changes.
    return driver.execute("PRAGMA data_version").fetchone()[0], driver.total_changes
