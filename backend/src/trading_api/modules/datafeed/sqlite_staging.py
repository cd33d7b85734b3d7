"""An import on its way into the SQLite store: gathered in a private file, then written in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.sqlite_errors import store_errors
from trading_api.modules.datafeed.sqlite_schema import (
    BAR_COLUMNS,
    BUSY_SECONDS,
    create_file,
    file_uri,
    migrate,
    schema_version,
)
from trading_api.modules.datafeed.store import Comparison, Difference, Differences, Merge, SeriesKey

Row = tuple[int, ...]

_TEMPORARY = "the temporary file of the import"
_VALUES = ("price_scale", "open", "high", "low", "close", "volume_scale", "volume")
_DIFFERS = f"({', '.join(f'a.{name}' for name in _VALUES)}) <> ({', '.join(f'b.{name}' for name in _VALUES)})"
_A, _B = (", ".join(f"{table}.{name}" for name in ("time_ms", *_VALUES)) for table in "ab")

_CREATE = f"""CREATE TABLE incoming (
    line INTEGER NOT NULL, time_ms INTEGER NOT NULL, {', '.join(f'{name} INTEGER NOT NULL' for name in _VALUES)},
    PRIMARY KEY (time_ms, line)
) WITHOUT ROWID"""
_ADD = f"INSERT INTO incoming (line, {BAR_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_REPEATED = """FROM incoming a JOIN incoming b ON b.time_ms = a.time_ms
    AND b.line = (SELECT min(line) FROM incoming c WHERE c.time_ms = a.time_ms) WHERE a.line > b.line"""
_FORGET_REPEATED = """DELETE FROM incoming WHERE line > (
    SELECT min(line) FROM incoming c WHERE c.time_ms = incoming.time_ms)"""
_STORED = "FROM incoming a JOIN store.bars b ON b.series_id = ? AND b.time_ms = a.time_ms"
# An import that ran meanwhile may have added the same symbol: its facts stay, the finer precision wins.
_INSTRUMENT = """INSERT INTO store.instruments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
    pricescale = max(pricescale, excluded.pricescale),
    volume_precision = max(volume_precision, excluded.volume_precision)"""
_SERIES = "INSERT OR IGNORE INTO store.series (symbol, resolution) VALUES (?, ?)"
_WRITE = f"""INSERT INTO store.bars (series_id, {BAR_COLUMNS}) SELECT ?, {_A} FROM incoming a WHERE true
    ON CONFLICT (series_id, time_ms) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _VALUES)}
    WHERE ({', '.join(_VALUES)}) <> ({', '.join(f'excluded.{name}' for name in _VALUES)})"""  # noqa: S608


class SqliteStaging:
    """Keeps the bars in SQLite's anonymous database: a file deleted on close, so that memory stays small."""

    def __init__(self, path: Path, key: SeriesKey) -> None:
        self._path = path
        self._names = (key.symbol, key.resolution.value)
        with store_errors(_TEMPORARY):
            self._connection = sqlite3.connect("", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
            # Nobody needs this file after a crash.
            self._connection.execute("PRAGMA main.journal_mode = OFF")
            self._connection.execute("PRAGMA main.synchronous = OFF")
            self._connection.execute(_CREATE)

    def close(self) -> None:
        """Rolls back what was not committed."""
        self._connection.close()

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None:
        with store_errors(_TEMPORARY):
            self._connection.execute("BEGIN")
            self._connection.executemany(_ADD, [(line, *bar) for line, bar in rows])
            self._connection.execute("COMMIT")

    def merge(self, *, limit: int) -> Merge:
        with store_errors(_TEMPORARY):
            repeated = self._count(f"SELECT count(*) {_REPEATED}")
            contradictions = self._differences(f"{_REPEATED} AND {_DIFFERS}", (), "b.line", limit)
            self._connection.execute(_FORGET_REPEATED)
        return Merge(merged=repeated - contradictions.count, contradictions=contradictions)

    def compare(self, *, limit: int, lock: bool) -> Comparison:
        with store_errors(self._path):
            if lock:
                self._create_store()
            self._attach(writable=lock)
            self._connection.execute("BEGIN IMMEDIATE" if lock else "BEGIN")
            series = self._series_id() or -1
            changed = self._differences(f"{_STORED} WHERE {_DIFFERS}", (series,), "NULL", limit)
            stored = self._count(f"SELECT count(*) {_STORED}", series)
            staged = self._count("SELECT count(*) FROM incoming")
        return Comparison(inserted=staged - stored, unchanged=stored - changed.count, changed=changed)

    def commit(self, instrument: Instrument | None) -> None:
        with store_errors(self._path):
            if instrument is not None:
                self._connection.execute(_INSTRUMENT, astuple(instrument))
            self._connection.execute(_SERIES, self._names)
            self._connection.execute(_WRITE, (self._series_id(),))
            self._connection.execute("COMMIT")

    def _create_store(self) -> None:
        create_file(self._path)
        uri = file_uri(self._path, mode="rw")
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            migrate(connection, self._path)

    def _attach(self, *, writable: bool) -> None:
        """Attach the store, or an empty stand-in while there is none: without the lock no file is made."""
        if self._path.exists():
            self._connection.execute("ATTACH ? AS store", (file_uri(self._path, mode="rw" if writable else "ro"),))
            if schema_version(self._connection, self._path, database="store") > 0:
                return
            self._connection.execute("DETACH store")
        self._connection.execute("ATTACH ':memory:' AS store")
        migrate(self._connection, self._path, database="store")

    def _series_id(self) -> int | None:
        query = "SELECT id FROM store.series WHERE symbol = ? AND resolution = ?"
        row: Row | None = self._connection.execute(query, self._names).fetchone()
        return row[0] if row else None

    def _count(self, query: str, *values: int) -> int:
        count: int = self._connection.execute(query, values).fetchone()[0]
        return count

    def _differences(self, source: str, values: Row, other_line: str, limit: int) -> Differences:
        count = self._count(f"SELECT count(*) {source}", *values)
        query = f"SELECT a.line, {other_line}, {_A}, {_B} {source} ORDER BY a.line LIMIT ?"
        rows = self._connection.execute(query, (*values, limit)).fetchall() if count else []
        return Differences(count=count, first=tuple(_difference(row) for row in rows))


def _difference(row: Row) -> Difference:
    half = 2 + len(ScaledBar._fields)
    return Difference(
        line=row[0], other_line=row[1], bar=ScaledBar._make(row[2:half]), other=ScaledBar._make(row[half:])
    )
