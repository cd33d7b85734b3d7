"""An import on its way into the store: gathered aside, then written in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from operator import lt

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Select,
    and_,
    case,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    true,
)

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.rollups import Progress, RollUp, never_computed, rebuild
from trading_api.modules.datafeed.bars.served import BAR_COLUMNS, series_ids
from trading_api.modules.datafeed.bars.staging_area import incoming, staging_area
from trading_api.modules.datafeed.bars.staging_turn import Turn
from trading_api.modules.datafeed.bars.store import (
    NO_DIFFERENCES,
    Comparison,
    Difference,
    Differences,
    Merge,
    SeriesKey,
)
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.tables import bars, instruments, series
from trading_api.shared.store.engine import address_of, upsert
from trading_api.shared.store.errors import store_errors

_VALUES = tuple(name for name in BAR_COLUMNS if name != "time_ms")
# Changes no further apart than this are followed as one stretch.
_WEEK_MS = 7 * 86_400_000


class BarStaging:
    """Implements Staging for both databases."""

    def __init__(self, engine: Engine, key: SeriesKey) -> None:
        self._key = key
        self._place = address_of(engine).place
        self._area = staging_area(engine)
        self._series: int | None = None
        self._rows = 0
        self._newest: int | None = None
        self._ascending = True

    def close(self) -> None:
        """Rolls back what was not committed."""
        self._area.close()

    def add(self, rows: Sequence[tuple[int, ScaledBar]]) -> None:
        self._note_times([bar.time for _, bar in rows])
        with self._area.errors():
            self._area.add(rows)

    def merge(self, *, limit: int) -> Merge:
        with self._area.errors():
            merged = self._merge(limit)
            self._connection.commit()
        return merged

    def compare(self, *, limit: int, lock: bool, turn: Turn | None = None) -> Comparison:
        with self._errors():
            if self._area.join_store(lock=self._key.symbol if lock else None, turn=turn):
                self._series = series_ids(self._connection, self._key.symbol, self._key.resolution).imported
            if self._series is None:
                return Comparison(self._rows, unchanged=0, changed=NO_DIFFERENCES, created=self._area.created)
            stored = self._stored()
            found = self._count(select(func.count()).select_from(stored))
            changed = self._differences(stored, _differ(incoming, bars), bars, None, limit)
        return Comparison(self._rows - found, unchanged=found - changed.count, changed=changed)

    def commit(self, instrument: Instrument, *, new: bool, progress: Progress | None = None) -> None:
        with self._errors():
            if new:
                _write_instrument(self._connection, instrument)
            never = instrument.name in never_computed(self._connection)
            stretches = self._changes()
            if stretches:
                self._write()
            known = _as_stored(self._connection, instrument)
            if never:
                rebuild(self._connection, known)
            else:
                RollUp(self._connection, known).follow(self._key.resolution, stretches, progress)
            self._connection.commit()

    @property
    def _connection(self) -> Connection:
        return self._area.connection

    def _errors(self) -> AbstractContextManager[None]:
        return store_errors(self._place)

    def _note_times(self, times: Sequence[int]) -> None:
        """Most files are in order: then no time is there twice, and nobody need look."""
        self._rows += len(times)
        if self._ascending and times:
            before = times[0] - 1 if self._newest is None else self._newest
            self._ascending = all(map(lt, [before, *times], times))
            self._newest = times[-1]

    def _merge(self, limit: int) -> Merge:
        if self._ascending:
            return Merge(merged=0, contradictions=NO_DIFFERENCES)
        rows = func.count()
        times = select(incoming.c.time_ms, func.min(incoming.c.line).label("line"), rows.label("rows"))
        repeated = times.group_by(incoming.c.time_ms).having(rows > 1).subquery()
        extra = self._count(select(func.coalesce(func.sum(repeated.c.rows - 1), 0)))
        if not extra:
            return Merge(merged=0, contradictions=NO_DIFFERENCES)
        first = incoming.alias("first")
        joined = incoming.join(repeated, repeated.c.time_ms == incoming.c.time_ms).join(
            first, and_(first.c.time_ms == repeated.c.time_ms, first.c.line == repeated.c.line)
        )
        differ = and_(incoming.c.line > first.c.line, _differ(incoming, first))
        contradictions = self._differences(joined, differ, first, first.c.line, limit)
        earlier = select(func.min(first.c.line)).where(first.c.time_ms == incoming.c.time_ms).scalar_subquery()
        again = incoming.c.time_ms.in_(select(repeated.c.time_ms))
        self._connection.execute(delete(incoming).where(again, incoming.c.line > earlier))
        self._rows -= extra
        return Merge(merged=extra - contradictions.count, contradictions=contradictions)

    def _stored(self) -> FromClause:
        """Each staged bar beside the stored one of its time."""
        return incoming.join(bars, and_(bars.c.series_id == self._series, bars.c.time_ms == incoming.c.time_ms))

    def _changes(self) -> list[tuple[int, int]]:
        """The stretches of time (first and last bar, ms UTC) in which the store will change; few, whatever the size."""
        week = incoming.c.time_ms // _WEEK_MS
        times = select(func.min(incoming.c.time_ms), func.max(incoming.c.time_ms))
        if self._series is not None:
            same = and_(bars.c.series_id == self._series, bars.c.time_ms == incoming.c.time_ms)
            times = times.select_from(incoming.outerjoin(bars, same))
            times = times.where(or_(bars.c.time_ms.is_(None), _differ(incoming, bars)))
        found = self._connection.execute(times.group_by(week).order_by(func.min(incoming.c.time_ms)))
        return list(_joined([(oldest, newest) for oldest, newest in found]))

    def _write(self) -> None:
        if self._series is None:
            new = upsert(self._connection, series).values(
                symbol=self._key.symbol, resolution=self._key.resolution.value, derived=False
            )
            self._series = self._connection.execute(new.returning(series.c.id)).scalar_one()
        staged = select(literal(self._series), *(incoming.c[name] for name in BAR_COLUMNS)).where(true())
        written = upsert(self._connection, bars).from_select(["series_id", *BAR_COLUMNS], staged)
        changes = or_(*(bars.c[name] != written.excluded[name] for name in _VALUES))
        self._connection.execute(
            written.on_conflict_do_update(
                index_elements=["series_id", "time_ms"],
                set_={name: written.excluded[name] for name in _VALUES},
                where=changes,
            )
        )

    def _count(self, query: Select[int]) -> int:
        return self._connection.execute(query).scalar_one()

    def _differences(
        self,
        source: FromClause,
        differ: ColumnElement[bool],
        other: FromClause,
        other_line: ColumnElement[int] | None,
        limit: int,
    ) -> Differences:
        count = self._count(select(func.count()).select_from(source).where(differ))
        of_other = null() if other_line is None else other_line
        columns = [incoming.c.line, of_other.label("other_line"), *_bar_of(incoming), *_bar_of(other)]
        first = select(*columns).select_from(source).where(differ).order_by(incoming.c.line).limit(limit)
        rows = self._connection.execute(first).all() if count else ()
        return Differences(count=count, first=tuple(_difference(tuple(row)) for row in rows))


def _write_instrument(connection: Connection, instrument: Instrument) -> None:
    """An import that ran meanwhile may have added the same symbol: its facts stay, the finer precision wins."""
    new = upsert(connection, instruments).values(asdict(instrument))
    finer = {
        column: case((new.excluded[column] > instruments.c[column], new.excluded[column]), else_=instruments.c[column])
        for column in ("pricescale", "volume_precision")
    }
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=finer))


def _as_stored(connection: Connection, instrument: Instrument) -> Instrument:
    """What the store knows of an instrument counts: somebody may have changed it since the import began."""
    stored = connection.execute(select(instruments).where(instruments.c.name == instrument.name)).one_or_none()
    return Instrument(**stored._mapping) if stored else instrument


def _joined(stretches: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ascending stretches, those that lie close together as one."""
    joined: tuple[int, int] | None = None
    for oldest, newest in stretches:
        if joined is not None and oldest - joined[1] > _WEEK_MS:
            yield joined
            joined = None
        joined = (oldest if joined is None else joined[0], newest)
    if joined is not None:
        yield joined


def _bar_of(table: FromClause) -> list[ColumnElement[int]]:
    return [table.c[name] for name in BAR_COLUMNS]


def _differ(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether two bars have other numbers."""
    return or_(*(one.c[name] != other.c[name] for name in _VALUES))


def _difference(row: Sequence[int]) -> Difference:
    half = 2 + len(BAR_COLUMNS)
    return Difference(
        line=row[0], other_line=row[1], bar=ScaledBar._make(row[2:half]), other=ScaledBar._make(row[half:])
    )
