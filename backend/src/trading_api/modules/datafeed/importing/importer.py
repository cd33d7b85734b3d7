"""One import, from file to store: all of it or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bar_time import ms_text
from trading_api.modules.datafeed.bars.store import Difference, Differences, SeriesKey, Staging, Store
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.importing.bar_reader import BarReader
from trading_api.modules.datafeed.importing.columns import Columns, find_columns
from trading_api.modules.datafeed.importing.problems import FileError, Problem, ProblemLog
from trading_api.modules.datafeed.importing.progress import Progress, Stage
from trading_api.modules.datafeed.importing.report import ImportReport
from trading_api.modules.datafeed.importing.request import (
    ImportRequest,
    known_instrument,
    new_instrument,
    with_precision,
)
from trading_api.modules.datafeed.importing.session_check import SessionCheck
from trading_api.modules.datafeed.importing.source import Counted, Source
from trading_api.modules.datafeed.importing.sources import open_source
from trading_api.modules.datafeed.importing.tally import Tally
from trading_api.modules.datafeed.instruments.directory import InstrumentDirectory
from trading_api.modules.datafeed.instruments.instrument import Instrument

SHOWN_PROBLEMS = 20


def import_bars(
    request: ImportRequest,
    directory: InstrumentDirectory,
    store: Store,
    progress: Progress,
    clock: Callable[[], float] = time.time,
) -> ImportReport:
    """Import the file, or say by line or row why not; then nothing has been written. `clock` tells seconds UTC.

    Raises ValueError for a request that contradicts what is known of the symbol, and StoreError.
    """
    known = known_instrument(request, directory)
    instrument = known or new_instrument(request)
    sessions = SessionCheck(instrument, Schedule.of(instrument), request.resolution, now=int(clock() * 1000))
    tally = Tally(ProblemLog(SHOWN_PROBLEMS), sessions)
    with store.staging(SeriesKey(instrument.name, request.resolution)) as staging:
        _stage(request, instrument, staging, tally, progress)
        if known is None or not directory.is_shipped(known):
            scales = {"price_scale": tally.price_scale, "volume_scale": tally.volume_scale}
            instrument = with_precision(instrument, **scales)
        return _settle(request, staging, tally, instrument, progress, new=instrument != known)


def _stage(request: ImportRequest, instrument: Instrument, staging: Staging, tally: Tally, progress: Progress) -> None:
    """Move every good row of the file to the staging, and every bad one to the tally's problems."""
    try:
        with open_source(request.path) as source:
            tally.counted = source.counted
            reader = _reader(source, request, instrument, tally)
            for batch in source.batches():
                bars = reader.read(batch)
                tally.rows = reader.rows
                tally.note(bars)
                staging.add(bars)
                progress(Stage.READING, tally.rows, source.fraction_read)
        if not tally.rows:
            raise FileError("no rows after the header" if tally.counted == "line" else "no rows")
    except FileError as problem:
        tally.problems.add(problem.number, str(problem))
    except OSError as error:
        tally.problems.add(None, f"cannot be read: {error.strerror or error}")


def _reader(source: Source, request: ImportRequest, instrument: Instrument, tally: Tally) -> BarReader:
    columns = _columns(source, request)
    source.select(columns.positions)
    zone = request.zone or _zone(source.zone_name)
    clock = request.clock(instrument, zone)
    return BarReader(columns, clock, width=len(source.header), counted=source.counted, problems=tally.problems)


def _columns(source: Source, request: ImportRequest) -> Columns:
    try:
        return find_columns(source.header, request.columns)
    except FileError as error:
        raise FileError(str(error), _header_line(source.counted)) from error


def _header_line(counted: Counted) -> int | None:
    return 1 if counted == "line" else None


def _zone(name: str | None) -> ZoneInfo | None:
    """A zone that stands in the file; a bare offset (`+01:00`) is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def _settle(
    request: ImportRequest,
    staging: Staging,
    tally: Tally,
    instrument: Instrument,
    progress: Progress,
    *,
    new: bool,
) -> ImportReport:
    """Compare with the store and, if nothing speaks against it, commit."""
    progress(Stage.COMPARING, tally.rows, None)
    merge = staging.merge(limit=SHOWN_PROBLEMS)
    contradictions = [_contradiction(found, tally.counted) for found in merge.contradictions.first]
    tally.problems.extend(merge.contradictions.count, contradictions)
    may_write = not request.dry_run and not tally.problems.count
    comparison = staging.compare(limit=SHOWN_PROBLEMS, lock=may_write)
    if not request.replace:
        tally.problems.extend(comparison.changed.count, _changes(comparison.changed))
    if may_write and not tally.problems.count:
        progress(Stage.WRITING, tally.rows, 0.0)
        staging.commit(instrument, new=new, progress=lambda done: progress(Stage.WRITING, tally.rows, done))
    return ImportReport(
        request=request,
        rows=tally.rows,
        merged=merge.merged,
        inserted=comparison.inserted,
        updated=comparison.changed.count,
        unchanged=comparison.unchanged,
        first=tally.first,
        last=tally.last,
        instrument=instrument if new else None,
        problem_count=tally.problems.count,
        problems=tally.problems.first(),
        counted=tally.counted,
        warnings=tally.warnings(),
    )


def _contradiction(found: Difference, counted: Counted) -> Problem:
    when = ms_text(found.bar.time)
    other = f"{counted} {found.other_line}"
    return Problem(found.line, f"{when} stands on {other} with other numbers ({found.other})")


def _changes(found: Differences) -> list[Problem]:
    return [
        Problem(
            difference.line,
            f"{ms_text(difference.bar.time)} is stored with other numbers ({difference.other}); see --replace",
        )
        for difference in found.first
    ]
