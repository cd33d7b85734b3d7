"""The command line of the store: `python -m trading_api migrate`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from trading_api.shared.store.address import parse_store_url
from trading_api.shared.store.errors import StoreError, StoreUrlError
from trading_api.shared.store.migrations import MigrationReport, migrate, revision_at
from trading_api.shared.store.quick import is_current
from trading_api.shared.store.revision import HEAD, standing

OK, FAILED, USAGE = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Bring the store to the revision of this program; `argv` is what follows the verb.

    Returns 0 when it is there, 1 when it is not (with `--check`) or cannot be brought there (then it is as before),
    2 for wrong usage. With `--json` each of these is one JSON object on standard output, but for wrong arguments.
    """
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return USAGE if stop.code else OK
    try:
        report = _run(_store_url(options.store), check=options.check)
    except StoreUrlError as error:
        return _fail(f"{parser.prog}: error: ", error, USAGE, as_json=options.json)
    except StoreError as error:
        return _fail(f"{parser.prog}: ", error, FAILED, as_json=options.json)
    except KeyboardInterrupt:
        return _fail(f"{parser.prog}: ", "interrupted; nothing was changed", FAILED, as_json=options.json)
    print(_json(report) if options.json else _text(report))
    return OK if report.after == HEAD else FAILED


def _store_url(asked: str | None) -> str:
    """Settings and JSON are imported where they are needed only: `up` waits for this program."""
    url = asked or os.environ.get("TRADING_STORE_URL")
    if url:
        return url
    from trading_api.settings import Settings

    return Settings().store_url


def _run(url: str, *, check: bool) -> MigrationReport:
    place = parse_store_url(url).place
    if is_current(url):
        return MigrationReport(place, HEAD, HEAD)
    if not check:
        return migrate(url)
    revision = revision_at(url)
    standing(revision, place)
    return MigrationReport(place, revision, revision)


def _text(report: MigrationReport) -> str:
    if report.after is None:
        return f"{report.place}: there is no store yet; python -m trading_api migrate makes it"
    if report.after != HEAD:
        return f"{report.place}: the store is at {report.after}, behind {HEAD}; run: python -m trading_api migrate"
    if not report.changed:
        return f"{report.place}: the store is up to date ({HEAD})"
    if report.before is None:
        return f"{report.place}: the store is made ({HEAD})"
    return f"{report.place}: the store went from {report.before} to {report.after}"


def _json(report: MigrationReport) -> str:
    current = report.after == HEAD
    return _dump({"store": report.place, "from": report.before, "to": report.after, "up_to_date": current})


def _dump(answer: dict[str, str | bool | None]) -> str:
    import json

    return json.dumps(answer)


def _fail(prefix: str, message: object, code: int, *, as_json: bool) -> int:
    if as_json:
        print(_dump({"error": str(message)}))
    else:
        print(f"{prefix}{message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trading_api migrate",
        description="Make the store, or bring its tables to what this version needs. All of it or nothing is done.",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if there is something to do")
    parser.add_argument("--json", action="store_true", help="report as JSON on standard output")
    parser.add_argument(
        "--store", metavar="URL", help="default: TRADING_STORE_URL, else sqlite:///.local/data/trading.db"
    )
    return parser
