"""Reading the bars that are served: those computed from finer bars, and the imported ones where there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnClause, Connection, Select, bindparam, exists, literal_column, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from trading_api.modules.datafeed.feed.schedule import MINUTE_MS
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.tables import bars, series

BEGIN_OF_TIME, END_OF_TIME = -(2**63), 2**63 - 1
"""No bar has a time before or from here on: the smallest and largest integer of both databases."""
BAR_COLUMNS = tuple(column.name for column in bars.columns if column.name != "series_id")
ServedQuery = Select[*tuple[int, ...]] | CompoundSelect[*tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class SeriesIds:
    """The two stored series behind one that is served; None where there is none."""

    imported: int | None
    derived: int | None

    @property
    def both(self) -> bool:
        """Whether there are two."""
        return self.imported is not None and self.derived is not None


NO_SERIES = SeriesIds(None, None)
_IDS = select(series.c.derived, series.c.id).where(
    series.c.symbol == bindparam("symbol"), series.c.resolution == bindparam("resolution")
)


def series_ids(connection: Connection, symbol: str, resolution: Resolution) -> SeriesIds:
    """Of one symbol at one resolution."""
    found = connection.execute(_IDS, {"symbol": symbol, "resolution": resolution})
    ids = {row.derived: row.id for row in found}
    return SeriesIds(imported=ids.get(False), derived=ids.get(True))


@dataclass(frozen=True, slots=True)
class Slice:
    """Bars with `start` <= time < `end` (ms UTC): at most `limit`, the newest or the oldest of them."""

    start: int = BEGIN_OF_TIME
    end: int = END_OF_TIME
    limit: int = END_OF_TIME
    newest: bool = False


Row = tuple[int, ...]
"""The fields of a ScaledBar, without its name: a million of them are made in half the time."""


def served_rows(connection: Connection, ids: SeriesIds, resolution: Resolution, wanted: Slice) -> list[Row]:
    """In the order of the slice: `newest` descends."""
    if ids == NO_SERIES:
        return []
    query = SERVED[ids.both, wanted.newest]
    with connection.execute(query, served_values(ids, resolution, wanted)) as result:
        # The driver's own rows: SQLAlchemy's would cost a quarter more time, and nobody sees them.
        assert result.cursor is not None
        return cast("list[Row]", result.cursor.fetchall())


def served_values(ids: SeriesIds, resolution: Resolution, wanted: Slice) -> dict[str, int | None]:
    """What the query in SERVED is to be given."""
    values = {"start": wanted.start, "end": wanted.end, "n": wanted.limit}
    if ids.both:
        return {**values, "imported": ids.imported, "derived": ids.derived, "reach": _reach(resolution)}
    return {**values, "id": ids.derived if ids.imported is None else ids.imported}


def _reach(resolution: Resolution) -> int:
    """How far apart (ms) two bars are that do not overlap. Dated ones share a date, or nothing.

    Intraday bars of some vendors begin with the hour, computed ones with the session: they may overlap by a part.
    """
    return 1 if resolution.minutes is None else resolution.minutes * MINUTE_MS


def _stored(table_id: str) -> Select[*tuple[int, ...]]:
    return select(*(bars.c[name] for name in BAR_COLUMNS)).where(
        bars.c.series_id == bindparam(table_id),
        bars.c.time_ms >= bindparam("start"),
        bars.c.time_ms < bindparam("end"),
    )


def _both() -> CompoundSelect[*tuple[int, ...]]:
    other = bars.alias("other")
    hidden = exists().where(
        other.c.series_id == bindparam("derived"),
        other.c.time_ms > bars.c.time_ms - bindparam("reach"),
        other.c.time_ms < bars.c.time_ms + bindparam("reach"),
    )
    return union_all(_stored("derived"), _stored("imported").where(~hidden))


def _ordered(query: ServedQuery, *, newest: bool) -> ServedQuery:
    time: ColumnClause[int] = literal_column("time_ms")
    return query.limit(bindparam("n")).order_by(time.desc() if newest else time)


SERVED: dict[tuple[bool, bool], ServedQuery] = {
    (both, newest): _ordered(_both() if both else _stored("id"), newest=newest)
    for both in (False, True)
    for newest in (False, True)
}
"""By whether both series are there (then an imported bar that a computed one overlaps is left out), and by `newest`."""
