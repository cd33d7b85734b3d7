"""What the instrument commands say, to people and to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from trading_api.modules.datafeed.instruments.catalogue import Catalogue, located
from trading_api.modules.datafeed.instruments.catalogue_entry import Problem
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_import import InstrumentChanges

SHOWN_PROBLEMS = 20
_HEADER = ("name", "exchange", "type", "session", "timezone", "calendar", "tick", "source", "description")

Status = Literal["imported", "dry_run", "refused"]


@dataclass(frozen=True, slots=True)
class InstrumentReport:
    """What became of a catalogue file. When refused, nothing was written."""

    file: str
    catalogue: Catalogue
    changes: InstrumentChanges
    dry_run: bool

    @property
    def status(self) -> Status:
        if self.catalogue.problem_count:
            return "refused"
        return "dry_run" if self.dry_run else "imported"


def report_text(report: InstrumentReport) -> str:
    """A few lines."""
    return "\n".join(_refusal_lines(report) if report.status == "refused" else _summary_lines(report))


def report_json(report: InstrumentReport) -> str:
    """One object on one line."""
    changes = report.changes
    refused = report.status == "refused"
    return json.dumps(
        {
            "ok": not refused,
            "status": report.status,
            "error": _refusal(report) if refused else None,
            "file": report.file,
            "new": [instrument.name for instrument in changes.new],
            "updated": [instrument.name for instrument in changes.changed],
            "unchanged": changes.unchanged,
            "rebuilt": [instrument.name for instrument in changes.rebuilt],
            "problem_count": report.catalogue.problem_count,
            "problems": [_problem_json(problem) for problem in report.catalogue.problems],
        }
    )


def failure_json(message: str) -> str:
    """A command that came to no report."""
    problem = _problem_json(Problem(message))
    return json.dumps({"ok": False, "status": "failed", "error": message, "problem_count": 1, "problems": [problem]})


def instrument_json(instrument: Instrument, *, shipped: bool) -> dict[str, object]:
    """All facts, `tick` and `quantity_step` as decimals in text, and where the facts are from."""
    steps = {"tick": f"{instrument.tick:f}", "quantity_step": f"{instrument.quantity_step:f}"}
    return {**asdict(instrument), **steps, "source": _source(shipped=shipped)}


def instrument_text(instrument: Instrument, *, shipped: bool) -> str:
    """A line for each fact."""
    facts = instrument_json(instrument, shipped=shipped)
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in facts.items())


def instrument_table(shown: Sequence[tuple[Instrument, bool]]) -> str:
    """A line for each instrument and whether it is shipped, under a header."""
    return _table([_HEADER, *(_row(instrument, shipped=shipped) for instrument, shipped in shown)])


def _row(instrument: Instrument, *, shipped: bool) -> Sequence[str]:
    return (
        instrument.name,
        instrument.exchange,
        instrument.type,
        instrument.session,
        instrument.timezone,
        instrument.calendar,
        f"{instrument.tick:f}",
        _source(shipped=shipped),
        instrument.description,
    )


def _source(*, shipped: bool) -> str:
    return "shipped" if shipped else "stored"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what is in them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _problem_json(problem: Problem) -> dict[str, object]:
    line, column = problem.place or (None, None)
    return {
        "line": line,
        "column": column or None,
        "instrument": problem.entry or None,
        "field": problem.field or None,
        "message": problem.message,
    }


def _summary_lines(report: InstrumentReport) -> Iterator[str]:
    changes = report.changes
    yield f"{'dry run, nothing written: would import' if report.dry_run else 'imported'} {report.file}"
    yield f"  {len(changes.new)} new, {len(changes.changed)} updated, {changes.unchanged} unchanged"
    if changes.rebuilt:
        names = [instrument.name for instrument in changes.rebuilt[:SHOWN_PROBLEMS]]
        more = ", …" if len(changes.rebuilt) > len(names) else ""
        yield f"  trading hours changed, bars computed anew: {', '.join(names)}{more}"


def _refusal_lines(report: InstrumentReport) -> Iterator[str]:
    for problem in report.catalogue.problems[:SHOWN_PROBLEMS]:
        yield located(report.file, problem)
    hidden = report.catalogue.problem_count - SHOWN_PROBLEMS
    if hidden > 0:
        yield f"and {hidden} more"
    yield _refusal(report)


def _refusal(report: InstrumentReport) -> str:
    count = report.catalogue.problem_count
    return f"refused: {count} {'problem' if count == 1 else 'problems'}; nothing was written"
