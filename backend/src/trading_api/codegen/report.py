"""Tells what came of a run: lines for a person, or one JSON object."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from trading_api.codegen.contract_changes import SpecChange
from trading_api.codegen.order import UP_TO_DATE
from trading_api.codegen.outcome import Outcome


def print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print it: what was done on standard output, what is wrong on standard error; with `as_json` all of it as JSON."""
    if as_json:
        print(json.dumps(to_json(outcome), indent=2, ensure_ascii=False))
        return
    for line in told(outcome):
        print(_coloured(line, sys.stdout))
    sys.stdout.flush()
    for line in wrong(outcome):
        print(_coloured(line, sys.stderr), file=sys.stderr)


def told(outcome: Outcome) -> Iterator[str]:
    """What happened, and what changed in the contracts."""
    if outcome.changes and outcome.since:
        yield f"contracts changed since {outcome.since}:"
    yield from (change.line() for change in outcome.changes)
    yield from (f"{shown(file.path)}: {file.state}" for file in outcome.files)
    yield from (f"note: {note}" for note in outcome.notes)
    if outcome.ok and not outcome.files:
        yield UP_TO_DATE
    if outcome.check and outcome.ok and outcome.base:
        yield f"no breaking change since {outcome.base}"


def wrong(outcome: Outcome) -> Iterator[str]:
    """What keeps the run from being a success, and what to do."""
    yield from (f"error: {failure.reason}" for failure in outcome.failures)
    if outcome.check and outcome.files:
        count = _count(len(outcome.files), "file")
        yield f"error: generated files are not up to date ({count}); run: {outcome.command}"
    if outcome.broken:
        yield from _breaks(outcome.broken, outcome.base or "")


def _breaks(changes: list[SpecChange], base: str) -> Iterator[str]:
    yield from (change.line() for change in changes)
    yield (
        f"error: {_count(len(changes), 'breaking change')} since {base} without a new version; "
        "keep the old version as it was and make the change in a new one (api/v2.py)"
    )


def to_json(outcome: Outcome) -> dict[str, object]:
    """The whole outcome; paths as text."""
    return {
        "ok": outcome.ok,
        "check": outcome.check,
        "files": [{"path": str(file.path), "state": file.state} for file in outcome.files],
        "since": outcome.since,
        "changes": [change.to_json() for change in outcome.changes],
        "failures": [{"module": failure.module, "reason": failure.reason} for failure in outcome.failures],
        "notes": outcome.notes,
        "base": outcome.base,
        "breaking": [change.to_json() for change in outcome.broken],
    }


def shown(path: Path) -> str:
    """Relative to the current folder where it is below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _coloured(line: str, stream: TextIO) -> str:
    if not stream.isatty() or "NO_COLOR" in os.environ:
        return line
    if line.startswith("error: ") or line.endswith("[breaking]"):
        return f"\033[31m{line}\033[0m"
    return line
