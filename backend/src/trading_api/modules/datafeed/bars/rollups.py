"""Coarser bars, computed from the finer ones of the store whenever those change.

They are the same in whatever order files were imported: what is computed for a stretch of time depends on nothing but
the imported bars of that stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, and_, func, insert, select

from trading_api.modules.datafeed.bars.aggregation import BarColumns, aggregate_columns, finer_of
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_writer import add_bars, delete_bars, delete_times
from trading_api.modules.datafeed.bars.served import BEGIN_OF_TIME, END_OF_TIME, SeriesIds, Slice, served_rows
from trading_api.modules.datafeed.bars.stored_resolutions import forget_resolutions
from trading_api.modules.datafeed.bars.touched import Touched
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.tables import bars, series
from trading_api.shared.store.engine import hold_lock

Progress = Callable[[float], None]
"""Told which fraction of the work is done (0 to 1)."""

# So few that they stay in the processor's cache: it is quicker than more at once.
_BARS_AT_ONCE = 4_000


def lock_bars(connection: Connection, symbol: str) -> None:
    """Keep others from changing bars of `symbol` until the transaction ends; waits for those who do."""
    hold_lock(connection, f"bars:{symbol}")


def rebuild(connection: Connection, instrument: Instrument) -> None:
    """Compute every bar of a symbol anew that is computed, within the transaction of `writing`.

    For a symbol whose session, time zone or calendar has changed. Raises ValueError when these cannot be read.
    """
    lock_bars(connection, instrument.name)
    rollup = RollUp(connection, instrument)
    rollup.forget()
    for resolution in rollup.imported():
        rollup.follow(resolution, rollup.extent(resolution))


def never_computed(connection: Connection) -> list[str]:
    """Symbols with imported bars that nothing was computed from: those of stores that are older than computed bars."""
    coarsest = [resolution.value for resolution in Resolution if not coarser_than(resolution)]
    computed = select(series.c.symbol).where(series.c.derived)
    never = and_(series.c.resolution.not_in(coarsest), series.c.symbol.not_in(computed))
    found = select(series.c.symbol).distinct().where(never).order_by(series.c.symbol)
    return list(connection.execute(found).scalars())


@dataclass(frozen=True, slots=True)
class _Step:
    """Served bars of `source` to be read, and the resolutions to compute from them."""

    source: Resolution
    targets: tuple[Resolution, ...]
    touched: Touched

    def read(self) -> Slice:
        """The bars that the targets are made of."""
        if self.source.minutes is not None:
            # A bar that begins before a session may reach into it.
            return Slice(self.touched.start - self.source.minutes * MINUTE_MS, self.touched.end)
        bounds = [self.touched.bounds(target) for target in self.targets]
        return Slice(min(start for start, _ in bounds), max(end for _, end in bounds))

    @property
    def effort(self) -> int:
        """How much work it is, relative to others."""
        if self.source.minutes is None:
            return (self.touched.after - self.touched.first).days
        return len(self.targets) * (self.touched.end - self.touched.start) // (self.source.minutes * MINUTE_MS)


class RollUp:
    """The computed bars of one symbol, in a transaction beside which nobody else changes that symbol's bars."""

    def __init__(self, connection: Connection, instrument: Instrument) -> None:
        """Raises ValueError when the instrument's session, time zone or calendar cannot be read."""
        self._connection = connection
        self._symbol = instrument.name
        self._schedule = Schedule.of(instrument)
        found = select(series.c.resolution, series.c.derived, series.c.id).where(series.c.symbol == self._symbol)
        self._ids: dict[tuple[Resolution, bool], int] = {
            (Resolution(name), derived): number for name, derived, number in connection.execute(found)
        }

    def follow(self, changed: Resolution, ranges: Iterable[tuple[int, int]], progress: Progress | None = None) -> None:
        """Compute what rests on imported bars of `changed` with times of `ranges` (first and last, ms UTC).

        Raises ValueError for a bar that would need more than 18 digits.
        """
        touched = [self._touched(changed, oldest, newest) for oldest, newest in ranges]
        work = list(self._work(coarser_than(changed), touched))
        total, done = sum(step.effort for step in work), 0
        for step in work:
            self._compute(step)
            done += step.effort
            if progress is not None:
                progress(done / total)

    def forget(self) -> None:
        """Delete all that was computed."""
        for (_, derived), number in self._ids.items():
            if derived:
                delete_bars(self._connection, number, BEGIN_OF_TIME, END_OF_TIME)

    def imported(self) -> list[Resolution]:
        """The resolutions that were imported, finest first."""
        return [resolution for resolution in Resolution if self._is_imported(resolution)]

    def extent(self, resolution: Resolution) -> list[tuple[int, int]]:
        """Times (ms UTC) of the oldest and newest imported bar, as one range; none without a bar."""
        times = select(func.min(bars.c.time_ms), func.max(bars.c.time_ms))
        own = times.where(bars.c.series_id == self._ids[resolution, False])
        return [(oldest, newest) for oldest, newest in self._connection.execute(own) if oldest is not None]

    def _touched(self, changed: Resolution, oldest: int, newest: int) -> Touched:
        if changed.minutes is None:
            return Touched.by_dates(oldest, newest)
        return Touched.by_intraday(self._schedule, oldest, newest)

    def _work(self, targets: Iterable[Resolution], touched: Sequence[Touched]) -> Iterator[_Step]:
        """Finest source first, so that each step finds what it reads; in parts that fit into memory."""
        for source in Resolution:
            nearest = tuple(target for target in targets if source in self._sources(target))
            for stretch in touched if nearest else ():
                if source.minutes is None:
                    yield _Step(source, nearest, stretch)
                else:
                    length = source.minutes * MINUTE_MS * _BARS_AT_ONCE
                    yield from (_Step(source, nearest, part) for part in stretch.parts(self._schedule, length))

    def _sources(self, target: Resolution) -> tuple[Resolution, ...]:
        """What `target` is computed from, best first: for 15 minutes 5, and 3 where there is no 5; for others just one.

        What was itself computed adds nothing to the best one, which then rests on the same bars.
        """
        nearest = direct_sources(target)
        return tuple(source for source in nearest if source is nearest[0] or self._is_imported(source))

    def _compute(self, step: _Step) -> None:
        rows = served_rows(self._connection, self._served(step.source), step.source, step.read())
        columns = BarColumns(*zip(*rows, strict=True)) if rows else None
        for target in step.targets:
            start, end = step.touched.bounds(target)
            computed = aggregate_columns(columns, self._schedule, step.source, target) if columns else ()
            self._clear(step, target)
            self._add(step, target, [bar for bar in computed if start <= bar.time < end])

    def _clear(self, step: _Step, target: Resolution) -> None:
        """Before the first source is read: stretches may share a week or month, which is then computed twice."""
        if step.source is self._sources(target)[-1] and (target, True) in self._ids:
            delete_bars(self._connection, self._ids[target, True], *step.touched.bounds(target))

    def _add(self, step: _Step, target: Resolution, computed: Sequence[ScaledBar]) -> None:
        if not computed:
            return
        number = self._series_of(target)
        if step.source is not self._sources(target)[-1]:
            delete_times(self._connection, number, [bar.time for bar in computed])
        add_bars(self._connection, number, computed)

    def _is_imported(self, resolution: Resolution) -> bool:
        return (resolution, False) in self._ids

    def _served(self, resolution: Resolution) -> SeriesIds:
        return SeriesIds(self._ids.get((resolution, False)), self._ids.get((resolution, True)))

    def _series_of(self, target: Resolution) -> int:
        """The series of computed bars, made when the first bar needs it."""
        if (target, True) not in self._ids:
            new = insert(series).values(symbol=self._symbol, resolution=target.value, derived=True)
            forget_resolutions(self._connection)
            number: int = self._connection.execute(new.returning(series.c.id)).scalar_one()
            self._ids[target, True] = number
        return self._ids[target, True]


@cache
def direct_sources(target: Resolution) -> tuple[Resolution, ...]:
    """Those that nest in `target` with nothing between, coarsest first: the others reach it through these."""
    finer = finer_of(target)
    return tuple(one for one in finer if not any(one in finer_of(other) for other in finer))


@cache
def coarser_than(resolution: Resolution) -> tuple[Resolution, ...]:
    """All that can be computed from `resolution`, by whatever steps between, finest first."""
    reached = [resolution]
    for target in Resolution:
        if not frozenset(reached).isdisjoint(direct_sources(target)):
            reached.append(target)
    return tuple(reached[1:])
