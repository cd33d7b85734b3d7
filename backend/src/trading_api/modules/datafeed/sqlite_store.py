"""The store in one SQLite file: write-ahead log, so that readers go on while an import commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution, in_order
from trading_api.modules.datafeed.sqlite_errors import store_errors
from trading_api.modules.datafeed.sqlite_pool import ReadPool
from trading_api.modules.datafeed.sqlite_schema import BAR_COLUMNS
from trading_api.modules.datafeed.sqlite_staging import SqliteStaging
from trading_api.modules.datafeed.store import SeriesKey

_Value = str | int
_BARS = (
    f"SELECT {BAR_COLUMNS} FROM bars"  # noqa: S608
    " WHERE series_id = (SELECT id FROM series WHERE symbol = ? AND resolution = ?)"
)
_INSTRUMENTS = (
    "SELECT name, exchange, type, description, session, timezone, pricescale, minmov, volume_precision"
    " FROM instruments ORDER BY name"
)
# Beyond every time that a bar may have: SQLite's largest integer.
_END_OF_TIME = 2**63 - 1


class SqliteStore:
    """Reading never creates the file: a store that is not there yet is empty. The first import creates it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ReadPool(path)

    def instruments(self) -> list[Instrument]:
        return [Instrument(*row) for row in self._read(_INSTRUMENTS)]  # type: ignore[arg-type]

    def resolutions(self) -> dict[str, tuple[Resolution, ...]]:
        rows = cast("list[tuple[str, str]]", self._read("SELECT symbol, resolution FROM series"))
        found: dict[str, list[Resolution]] = {}
        for symbol, resolution in rows:
            found.setdefault(symbol, []).append(Resolution(resolution))
        return {symbol: in_order(stored) for symbol, stored in found.items()}

    def series(self, key: SeriesKey) -> SqliteSeries:
        return SqliteSeries(self, key)

    def bars(self, condition: str, *values: _Value) -> list[ScaledBar]:
        rows = cast("list[tuple[int, int, int, int, int, int, int, int]]", self._read(f"{_BARS} {condition}", *values))
        return [ScaledBar._make(row) for row in rows]

    @contextmanager
    def staging(self, key: SeriesKey) -> Iterator[SqliteStaging]:
        with closing(SqliteStaging(self._path, key)) as staging:
            yield staging

    def close(self) -> None:
        self._pool.close()

    def _read(self, query: str, *values: _Value) -> list[tuple[_Value, ...]]:
        with store_errors(self._path), self._pool.lend() as connection:
            return connection.execute(query, values).fetchall() if connection else []


class SqliteSeries:
    """Reads one series of a store."""

    def __init__(self, store: SqliteStore, key: SeriesKey) -> None:
        self._store = store
        self._names = (key.symbol, key.resolution.value)

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        condition = "AND time_ms < ? ORDER BY time_ms DESC LIMIT ?"
        rows = self._store.bars(condition, *self._names, _END_OF_TIME if end is None else end, limit)
        rows.reverse()
        return rows

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        condition = "AND time_ms >= ? AND time_ms < ? ORDER BY time_ms LIMIT ?"
        return self._store.bars(condition, *self._names, start, _END_OF_TIME if end is None else end, limit)
