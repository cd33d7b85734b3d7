"""Writing many bars fast, beneath SQLAlchemy, in the transaction of a connection."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.served import BAR_COLUMNS
from trading_api.modules.datafeed.tables import bars
from trading_api.shared.store.driver import postgres_driver, sqlite_driver

_NAMES = ", ".join(BAR_COLUMNS)
_MARKS = ", ".join("?" for _ in BAR_COLUMNS)
_COPY = f"COPY bars (series_id, {_NAMES}) FROM STDIN"


def add_bars(connection: Connection, series_id: int, rows: Sequence[ScaledBar]) -> None:
    """Insert bars whose times are free in that series."""
    if connection.dialect.name == "postgresql":
        with postgres_driver(connection).cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row((series_id, *row))
    else:
        statement = f"INSERT INTO bars (series_id, {_NAMES}) VALUES ({series_id:d}, {_MARKS})"  # noqa: S608
        sqlite_driver(connection).executemany(statement, rows)


def delete_bars(connection: Connection, series_id: int, start: int, end: int) -> None:
    """Delete those with `start` <= time < `end` (ms UTC)."""
    connection.execute(delete(bars).where(bars.c.series_id == series_id, bars.c.time_ms >= start, bars.c.time_ms < end))


def delete_times(connection: Connection, series_id: int, times: Sequence[int]) -> None:
    """Delete the bars with these times (ms UTC), as far as there are any."""
    one = delete(bars).where(bars.c.series_id == series_id, bars.c.time_ms == bindparam("gone"))
    connection.execute(one, [{"gone": time} for time in times])
