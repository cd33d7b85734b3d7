"""What an import did, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from trading_api.modules.datafeed.bar_time import ms_text
from trading_api.modules.datafeed.importing.problems import Problem
from trading_api.modules.datafeed.importing.request import ImportRequest
from trading_api.modules.datafeed.importing.source import Counted
from trading_api.modules.datafeed.instruments.instrument import Instrument

Status = Literal["imported", "dry_run", "refused"]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts of rows; `first` and `last` are bar times, ms UTC. `instrument` is the one added or made finer, if any.

    `store` names the store: a file, or host:port/database. When refused, nothing was written: nothing is inserted or
    updated, and the other counts say what was found up to then.
    """

    request: ImportRequest
    store: str
    rows: int
    merged: int
    inserted: int
    updated: int
    unchanged: int
    first: int | None
    last: int | None
    instrument: Instrument | None
    problem_count: int
    problems: tuple[Problem, ...]
    instrument_added: bool = False
    """Whether nobody knew it before."""
    counted: Counted = "line"
    """What the numbers of the problems count."""
    advice: str | None = None
    """What to do about problems that many rows have in common."""
    warnings: tuple[str, ...] = ()
    """What may be a mistake but refuses nothing."""
    store_created: bool = False
    """Whether there was no store before."""

    @property
    def status(self) -> Status:
        if self.problem_count:
            return "refused"
        return "dry_run" if self.request.dry_run else "imported"


def report_text(report: ImportReport) -> str:
    """A few lines for people."""
    return "\n".join(_problem_lines(report) if report.status == "refused" else _summary_lines(report))


def report_json(report: ImportReport) -> str:
    """The same as one JSON object on one line; times in ms UTC."""
    request = report.request
    return json.dumps(
        {
            "ok": report.status != "refused",
            "status": report.status,
            "error": _refusal(report) if report.status == "refused" else None,
            "file": str(request.path),
            "store": report.store,
            "store_created": report.store_created,
            "symbol": request.symbol.name,
            "resolution": request.resolution.value,
            "rows": report.rows,
            "merged": report.merged,
            "inserted": report.inserted,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "first_time": report.first,
            "last_time": report.last,
            "instrument": asdict(report.instrument) if report.instrument else None,
            "problem_count": report.problem_count,
            "problems": [_problem_json(problem, report.counted) for problem in report.problems],
            "advice": report.advice,
            "warnings": report.warnings,
        }
    )


def failure_json(message: str) -> str:
    """An import that came to no report, as one JSON object on one line."""
    return json.dumps(
        {
            "ok": False,
            "status": "failed",
            "error": message,
            "problem_count": 1,
            "problems": [_problem_json(Problem(None, message), "line")],
            "warnings": [],
        }
    )


def _summary_lines(report: ImportReport) -> Iterator[str]:
    request = report.request
    would = "dry run, nothing written: would import" if request.dry_run else "imported"
    store = f"{report.store} (new)" if report.store_created else report.store
    yield f"{would} {request.path} as {request.symbol.name} {request.resolution.value} into {store}"
    if report.first is not None and report.last is not None:
        yield f"  {_counted(report.rows, 'row')}, {ms_text(report.first)} to {ms_text(report.last)}"
    yield f"  {report.inserted} new, {report.updated} updated, {report.unchanged} unchanged, {report.merged} repeated"
    if report.instrument is not None:
        yield f"  {_instrument_line(report, report.instrument)}"


def _instrument_line(report: ImportReport, kept: Instrument) -> str:
    verb = "would be kept" if report.request.dry_run else "is kept"
    scale = f"pricescale {kept.pricescale}, volume precision {kept.volume_precision}"
    if not report.instrument_added:
        return f"{kept.name} {verb} with finer steps: {scale}"
    facts = f"type {kept.type}, exchange {kept.exchange or 'unknown'}, session {kept.session} {kept.timezone}"
    if kept.calendar:
        facts += f", calendar {kept.calendar}"
    return f"{kept.name} is not in the catalogue; it {verb} with {facts}, {scale}"


def _problem_lines(report: ImportReport) -> Iterator[str]:
    path = report.request.path
    if report.advice is not None:
        yield f"{path}: {report.advice}"
    for problem in report.problems:
        yield f"{path}{_place(problem.number, report.counted)}: {problem.message}"
    hidden = report.problem_count - len(report.problems)
    if hidden:
        yield f"and {hidden} more"
    yield _refusal(report)


def _place(number: int | None, counted: Counted) -> str:
    """Lines as editors understand them."""
    if number is None:
        return ""
    return f":{number}" if counted == "line" else f": row {number}"


def _problem_json(problem: Problem, counted: Counted) -> dict[str, int | str | None]:
    return {counted: problem.number, "message": problem.message}


def _refusal(report: ImportReport) -> str:
    found = f"{_counted(report.problem_count, 'problem')} in {_counted(report.rows, 'row')}"
    return f"refused: {found}; nothing was written"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
