"""One import, from file to store: all of it or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bar_time import ms_text
from trading_api.modules.datafeed.bars.staging_turn import Turn
from trading_api.modules.datafeed.bars.store import (
    Comparison,
    Difference,
    Differences,
    Merge,
    SeriesKey,
    Staging,
    Store,
)
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.importing.bar_reader import BarReader
from trading_api.modules.datafeed.importing.columns import Columns, find_columns
from trading_api.modules.datafeed.importing.noise_check import NoiseCheck
from trading_api.modules.datafeed.importing.precision_check import PrecisionCheck
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
PATIENCE_SECONDS = 60.0
"""How long an import waits for other writers: they may be large imports too."""


def import_bars(
    request: ImportRequest,
    directory: InstrumentDirectory,
    store: Store,
    progress: Progress,
    clock: Callable[[], float] = time.time,
    patience: float = PATIENCE_SECONDS,
) -> ImportReport:
    """Import the file, or say by line or row why not; then nothing has been written. `clock` tells seconds UTC.

    `patience`: the seconds to wait for other writers.

    Raises ValueError for a request that contradicts what is known of the symbol, and StoreError.
    """
    known = known_instrument(request, directory)
    instrument = known or new_instrument(request)
    fixed = known is not None and directory.is_shipped(known)
    sessions = SessionCheck(instrument, Schedule.of(instrument), request.resolution, now=int(clock() * 1000))
    tally = _tally(instrument, sessions, fixed=fixed)
    with store.staging(SeriesKey(instrument.name, request.resolution)) as staging:
        _stage(request, instrument, staging, tally, progress)
        scales = {"price_scale": tally.price_scale, "volume_scale": tally.volume_scale}
        if not fixed:
            instrument = with_precision(instrument, **scales)
        turn = Turn(patience, lambda: progress(Stage.WAITING, tally.rows, None))
        merge, comparison = _compare(request, staging, tally, progress, turn)
        if known is None and (known := directory.find(instrument.name)) is not None:
            # Another import kept the symbol meanwhile; its facts stay, the finer precision wins.
            instrument = with_precision(known, **scales)
        kept = instrument if instrument != known else None
        if not request.dry_run and not tally.problems.count:
            _commit(request, staging, tally, instrument, progress, new=kept is not None)
    return _report(request, store.place, tally, merge, comparison, kept, added=known is None)


def _tally(instrument: Instrument, sessions: SessionCheck, *, fixed: bool) -> Tally:
    """`fixed`: the instrument is not made as fine as the bars are."""
    problems = ProblemLog(SHOWN_PROBLEMS)
    if fixed:
        return Tally(problems, sessions, precision=PrecisionCheck(instrument))
    return Tally(problems, sessions, noise=NoiseCheck(instrument, problems))


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
    if tally.noise is not None:
        tally.noise.finish()


def _reader(source: Source, request: ImportRequest, instrument: Instrument, tally: Tally) -> BarReader:
    columns = _columns(source, request)
    source.select(columns.positions)
    if tally.noise is not None:
        tally.noise.columns = columns.price_names(source.header)
    zone = request.zone or _zone(source.zone_name)
    clock = request.clock(instrument, zone)
    return BarReader(columns, clock, width=len(source.header), counted=source.counted, problems=tally.problems)


def _columns(source: Source, request: ImportRequest) -> Columns:
    try:
        return find_columns(source.header, request.columns)
    except FileError as error:
        raise FileError(str(error), source.header_number) from error


def _zone(name: str | None) -> ZoneInfo | None:
    """A zone that stands in the file; a bare offset (`+01:00`) is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def _compare(
    request: ImportRequest, staging: Staging, tally: Tally, progress: Progress, turn: Turn
) -> tuple[Merge, Comparison]:
    """Compare the rows with each other and with the store; what speaks against them becomes problems."""
    progress(Stage.COMPARING, tally.rows, None)
    merge = staging.merge(limit=SHOWN_PROBLEMS)
    contradictions = [_contradiction(found, tally.counted) for found in merge.contradictions.first]
    tally.problems.extend(merge.contradictions.count, contradictions)
    may_write = not request.dry_run and not tally.problems.count
    comparison = staging.compare(limit=SHOWN_PROBLEMS, lock=may_write, turn=turn)
    if not request.replace:
        tally.problems.extend(comparison.changed.count, _changes(comparison.changed))
    return merge, comparison


def _commit(
    request: ImportRequest, staging: Staging, tally: Tally, instrument: Instrument, progress: Progress, *, new: bool
) -> None:
    """Write it all; what cannot be kept is a problem of the file, and then nothing is written."""
    progress(Stage.WRITING, tally.rows, 0.0)
    try:
        staging.commit(instrument, new=new, progress=lambda done: progress(Stage.WRITING, tally.rows, done))
    except ValueError as error:
        tally.problems.add(None, f"cannot be stored as {instrument.name} {request.resolution}: {error}")


def _report(
    request: ImportRequest,
    place: str,
    tally: Tally,
    merge: Merge,
    comparison: Comparison,
    kept: Instrument | None,
    *,
    added: bool,
) -> ImportReport:
    refused = bool(tally.problems.count)
    return ImportReport(
        request=request,
        store=place,
        rows=tally.rows,
        merged=merge.merged,
        inserted=0 if refused else comparison.inserted,
        updated=0 if refused else comparison.changed.count,
        unchanged=comparison.unchanged,
        first=tally.first,
        last=tally.last,
        instrument=None if refused else kept,
        instrument_added=added,
        problem_count=tally.problems.count,
        problems=tally.problems.first(),
        counted=tally.counted,
        advice=tally.noise.advice if tally.noise is not None else None,
        warnings=tally.warnings(),
        store_created=comparison.created,
    )


def _contradiction(found: Difference, counted: Counted) -> Problem:
    when = ms_text(found.bar.time)
    other = f"{counted} {found.other_line}"
    return Problem(found.line, f"{when} stands on {other} with other numbers ({found.other})")


def _changes(found: Differences) -> list[Problem]:
    return [
        Problem(
            difference.line,
            f"{ms_text(difference.bar.time)} is stored with other numbers ({difference.other}); --replace overwrites",
        )
        for difference in found.first
    ]
