"""The command line of the store: `python -m trading_api migrate`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from trading_api.shared.store.address import parse_store_url, store_urls
from trading_api.shared.store.errors import StoreError, StoreUrlError
from trading_api.shared.store.migrations import MigrationReport, migrate, revision_at
from trading_api.shared.store.quick import is_current
from trading_api.shared.store.revision import HEAD, standing

OK, FAILED, USAGE = 0, 1, 2


class _Partly(Exception):
    """One place of the store could not be brought up to date when others were; those stay as they are now."""

    def __init__(self, error: StoreError, changed: Sequence[MigrationReport]) -> None:
        super().__init__("; ".join([str(error), *(f"before that: {_text(report)}" for report in changed)]))
        self.changed = changed


def main(argv: Sequence[str]) -> int:
    """Bring the store to the revision of this program; `argv` is what follows the verb.

    Returns 0 when it is there, 1 when it is not (with `--check`) or cannot be brought there, 2 for wrong usage. Each
    place that belongs to the store (`store_urls`) is changed whole or stays as it was. With `--json` each of these is
    one JSON object on standard output, but for wrong arguments.
    """
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return USAGE if stop.code else OK
    try:
        reports = _run(store_urls(_store_url(options.store)), check=options.check)
    except StoreUrlError as error:
        return _fail(f"{parser.prog}: error: ", error, USAGE, as_json=options.json)
    except (StoreError, _Partly) as error:
        return _fail(f"{parser.prog}: ", error, FAILED, as_json=options.json)
    except KeyboardInterrupt:
        return _fail(f"{parser.prog}: ", "interrupted; no file was changed half-way", FAILED, as_json=options.json)
    print(_json(reports) if options.json else "\n".join([*map(_text, reports), *_notes(reports)]))
    return OK if _are_current(reports) else FAILED


def _store_url(asked: str | None) -> str:
    """Settings and JSON are imported where they are needed only: `up` waits for this program."""
    url = asked or os.environ.get("TRADING_STORE_URL")
    if url:
        return url
    from trading_api.settings import Settings

    return Settings().store_url


def _run(urls: Sequence[str], *, check: bool) -> list[MigrationReport]:
    """Looks at every place first: one of no use is found before another is changed."""
    looked = {url: _look(url) for url in urls}
    if check:
        return [report or _standing(url) for url, report in looked.items()]
    done: list[MigrationReport] = []
    for url, report in looked.items():
        try:
            done.append(report or migrate(url))
        except StoreError as error:
            changed = [report for report in done if report.changed]
            raise (_Partly(error, changed) if changed else error) from None
    return done


def _look(url: str) -> MigrationReport | None:
    """The report on a place where nothing is to be done; None where something is, or that takes SQLAlchemy to tell."""
    return MigrationReport(parse_store_url(url).place, HEAD, HEAD) if is_current(url) else None


def _standing(url: str) -> MigrationReport:
    place, revision = parse_store_url(url).place, revision_at(url)
    standing(revision, place)
    return MigrationReport(place, revision, revision)


def _are_current(reports: Sequence[MigrationReport]) -> bool:
    return all(report.after == HEAD for report in reports)


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


def _notes(reports: Sequence[MigrationReport]) -> list[str]:
    """That the orders' file was made beside a store that was there: right after an upgrade, and wrong where half a
    backup was restored.
    """
    if len(reports) < 2:
        return []
    orders, store = reports
    if not orders.changed or orders.before is not None or store.before is None:
        return []
    made, beside = (report.place.rpartition("/")[2] for report in reports)
    return [f"made {made}: there was none beside {beside}; if there should be, restore it"]


def _json(reports: Sequence[MigrationReport]) -> str:
    stores = [{"store": report.place, "from": report.before, "to": report.after} for report in reports]
    notes = _notes(reports)
    return _dump({"up_to_date": _are_current(reports), "stores": stores, **({"notes": notes} if notes else {})})


def _dump(answer: dict[str, object]) -> str:
    import json

    return json.dumps(answer)


def _fail(prefix: str, error: object, code: int, *, as_json: bool) -> int:
    if as_json:
        changed = [report.place for report in error.changed] if isinstance(error, _Partly) else []
        print(_dump({"error": str(error), "changed": changed}))
    else:
        print(f"{prefix}{error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trading_api migrate",
        description="Make the store, or bring its tables to what this version needs; a SQLite store is two files, one "
        "of them for orders. Each is changed whole or not at all.",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if there is something to do")
    parser.add_argument("--json", action="store_true", help="report as JSON on standard output")
    parser.add_argument(
        "--store", metavar="URL", help="default: TRADING_STORE_URL, else sqlite:///.local/data/trading.db"
    )
    return parser
