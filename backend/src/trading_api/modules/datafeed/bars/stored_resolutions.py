"""Which resolutions a store can serve, of which symbols."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from trading_api.modules.datafeed.resolution import Resolution, in_order
from trading_api.modules.datafeed.tables import series

Resolutions = dict[str, tuple[Resolution, ...]]

_CACHED = "datafeed_resolutions"
_OF_SYMBOL = select(series.c.resolution).where(series.c.symbol == bindparam("symbol"))


@dataclass(slots=True)
class _Cached:
    """What was found. `seen` changes with every commit, `stamp` with every series that comes or goes."""

    seen: int | None
    stamp: tuple[int, int | None]
    found: Resolutions


def resolutions_of(connection: Connection, symbol: str) -> tuple[Resolution, ...]:
    """Finest first."""
    found = connection.execute(_OF_SYMBOL, {"symbol": symbol})
    return in_order(map(Resolution, found.scalars()))


def all_resolutions(connection: Connection) -> Resolutions:
    """Of every symbol; kept with the connection for as long as no series is added."""
    seen = _commits(connection)
    cached: _Cached | None = connection.info.get(_CACHED)
    if cached is None or seen is None or seen != cached.seen:
        cached = connection.info[_CACHED] = _refreshed(connection, seen, cached)
    return cached.found


def forget_resolutions(connection: Connection) -> None:
    """For a writer: SQLite tells a connection of everybody's commits but its own."""
    connection.info.pop(_CACHED, None)


def _refreshed(connection: Connection, seen: int | None, cached: _Cached | None) -> _Cached:
    count, newest = connection.execute(select(func.count(), func.max(series.c.id))).one()
    if cached is not None and cached.stamp == (count, newest):
        return _Cached(seen, cached.stamp, cached.found)
    return _Cached(seen, (count, newest), _read(connection))


def _commits(connection: Connection) -> int | None:
    """A number that changes when another connection commits; None where the database has none that is cheap."""
    if connection.dialect.name != "sqlite":
        return None
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def _read(connection: Connection) -> Resolutions:
    found: dict[str, list[Resolution]] = {}
    for symbol, resolution in connection.execute(select(series.c.symbol, series.c.resolution)):
        found.setdefault(symbol, []).append(Resolution(resolution))
    return {symbol: in_order(stored) for symbol, stored in found.items()}
