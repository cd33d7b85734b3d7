"""One import, from file to store: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.bar_time import ms_text
from trading_api.modules.datafeed.directory import InstrumentDirectory
from trading_api.modules.datafeed.importing.columns import find_columns
from trading_api.modules.datafeed.importing.csv_source import CsvSource
from trading_api.modules.datafeed.importing.problems import FileError, Problem, ProblemLog, RowError
from trading_api.modules.datafeed.importing.report import ImportReport
from trading_api.modules.datafeed.importing.request import (
    ImportRequest,
    known_instrument,
    new_instrument,
    with_precision,
)
from trading_api.modules.datafeed.importing.row import RowReader
from trading_api.modules.datafeed.importing.spacing import Spacing
from trading_api.modules.datafeed.importing.written_times import WrittenTimes
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.store import Difference, Differences, SeriesKey, Staging

SHOWN_PROBLEMS = 20
_CHUNK = 5_000

Progress = Callable[[int, float], None]
"""Told how many rows have been read, and which fraction of the file (0 to 1)."""


@dataclass(slots=True)
class _Tally:
    """What the rows read so far had in common."""

    rows: int = 0
    first: int | None = None
    last: int | None = None
    price_scale: int = 0
    volume_scale: int = 0
    spacing: Spacing = field(default_factory=Spacing)
    problems: ProblemLog = field(default_factory=lambda: ProblemLog(SHOWN_PROBLEMS))

    def note(self, bar: ScaledBar) -> None:
        self.first = bar.time if self.first is None else min(self.first, bar.time)
        self.last = bar.time if self.last is None else max(self.last, bar.time)
        self.spacing.note(bar.time)
        self.price_scale = max(self.price_scale, bar.price_scale)
        self.volume_scale = max(self.volume_scale, bar.volume_scale)


def import_bars(request: ImportRequest, directory: InstrumentDirectory, progress: Progress) -> ImportReport:
    """Import the file, or say by line why not; then nothing has been written.

    Raises ValueError for a request that contradicts what is known of the symbol, and StoreError.
    """
    known = known_instrument(request, directory)
    instrument = known or new_instrument(request)
    tally = _Tally()
    with directory.store.staging(SeriesKey(instrument.name, request.resolution)) as staging:
        _stage(request, instrument, staging, tally, progress)
        shipped = known is not None and directory.is_shipped(known)
        scales = {"price_scale": tally.price_scale, "volume_scale": tally.volume_scale}
        instrument = instrument if shipped else with_precision(instrument, **scales)
        changed_instrument = None if instrument == known else instrument
        return _settle(request, staging, tally, changed_instrument)


def _stage(request: ImportRequest, instrument: Instrument, staging: Staging, tally: _Tally, progress: Progress) -> None:
    """Move every good row of the file to the staging, and every bad one to the tally's problems."""
    try:
        with CsvSource(request.path) as source:
            columns = find_columns(source.header, request.columns)
            reader = RowReader(columns, request.clock(instrument), width=len(source.header))
            bars = _good_rows(source, reader, WrittenTimes(request.resolution), tally)
            while chunk := list(islice(bars, _CHUNK)):
                staging.add(chunk)
                progress(tally.rows, source.fraction_read)
        if not tally.rows:
            raise FileError("no rows after the header")
    except FileError as problem:
        tally.problems.add(problem.line, str(problem))
    except OSError as error:
        tally.problems.add(None, f"cannot be read: {error.strerror or error}")


def _good_rows(
    source: CsvSource, reader: RowReader, times: WrittenTimes, tally: _Tally
) -> Iterator[tuple[int, ScaledBar]]:
    for line, cells in source.rows():
        tally.rows += 1
        try:
            bar = reader.read(cells)
            times.check(line, reader.written_time(cells), bar.time)
        except RowError as error:
            for message in error.messages:
                tally.problems.add(line, message)
            continue
        except ValueError as error:
            tally.problems.add(line, str(error))
            continue
        tally.note(bar)
        yield line, bar


def _settle(request: ImportRequest, staging: Staging, tally: _Tally, instrument: Instrument | None) -> ImportReport:
    """Compare with the store and, if nothing speaks against it, commit."""
    merge = staging.merge(limit=SHOWN_PROBLEMS)
    tally.problems.extend(merge.contradictions.count, [_contradiction(d) for d in merge.contradictions.first])
    may_write = not request.dry_run and not tally.problems.count
    comparison = staging.compare(limit=SHOWN_PROBLEMS, lock=may_write)
    if not request.replace:
        tally.problems.extend(comparison.changed.count, _changes(comparison.changed))
    if may_write and not tally.problems.count:
        staging.commit(instrument)
    return ImportReport(
        request=request,
        rows=tally.rows,
        merged=merge.merged,
        inserted=comparison.inserted,
        updated=comparison.changed.count,
        unchanged=comparison.unchanged,
        first=tally.first,
        last=tally.last,
        instrument=instrument,
        problem_count=tally.problems.count,
        problems=tally.problems.first(),
        warnings=_warnings(request, tally),
    )


def _warnings(request: ImportRequest, tally: _Tally) -> tuple[str, ...]:
    if request.resolution.minutes is None or not tally.spacing.daily:
        return ()
    return (f"these look like daily bars; is --resolution {request.resolution} right?",)


def _contradiction(found: Difference) -> Problem:
    when = ms_text(found.bar.time)
    return Problem(found.line, f"{when} stands on line {found.other_line} with other numbers ({found.other})")


def _changes(found: Differences) -> list[Problem]:
    return [
        Problem(
            difference.line,
            f"{ms_text(difference.bar.time)} is stored with other numbers ({difference.other}); see --replace",
        )
        for difference in found.first
    ]
