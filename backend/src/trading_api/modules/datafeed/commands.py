"""The command line of the datafeed: `python -m trading_api import`."""

from __future__ import annotations

import argparse
import os
import stat
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.catalogue import SYMBOL_TYPES, check_timezone, load_catalogue
from trading_api.modules.datafeed.directory import InstrumentDirectory
from trading_api.modules.datafeed.importing.columns import parse_overrides
from trading_api.modules.datafeed.importing.importer import import_bars
from trading_api.modules.datafeed.importing.report import ImportReport, failure_json, report_json, report_text
from trading_api.modules.datafeed.importing.request import ImportRequest
from trading_api.modules.datafeed.instrument import SymbolRef
from trading_api.modules.datafeed.resolution import Resolution, parse_resolution
from trading_api.modules.datafeed.session import parse_session
from trading_api.modules.datafeed.store import StoreError
from trading_api.modules.datafeed.store_url import open_store
from trading_api.settings import Settings

OK, FAILED, USAGE = 0, 1, 2
_PROGRESS_SECONDS = 0.2


def main(argv: Sequence[str]) -> int:
    """Import a file of bars; `argv` is what follows the verb.

    Returns 0 when done, 1 when the file was refused or the store failed (nothing was written), 2 for wrong usage.
    With `--json` each of these is one JSON object on standard output, but for arguments that cannot be parsed.
    """
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return USAGE if stop.code else OK
    try:
        request = _request(arguments)
        store = open_store(arguments.store or os.environ.get("TRADING_STORE_URL") or Settings().store_url)
        with closing(store), ProgressLine() as progress:
            report = import_bars(request, InstrumentDirectory(load_catalogue(), store), progress)
    except ValueError as error:
        return _fail(arguments, f"{parser.prog}: error: ", str(error), USAGE)
    except StoreError as error:
        return _fail(arguments, f"{parser.prog}: ", f"{error}; nothing was written", FAILED)
    except KeyboardInterrupt:
        return _fail(arguments, f"{parser.prog}: ", "interrupted; run it again, which is safe", FAILED)
    _show(report, as_json=arguments.json)
    return FAILED if report.status == "refused" else OK


class ProgressLine:
    """Shows on a terminal how far a long import is; silent when standard error is none, or the import is short."""

    def __init__(self) -> None:
        self._enabled = sys.stderr.isatty()
        self._next = time.monotonic() + _PROGRESS_SECONDS
        self._shown = False

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __call__(self, rows: int, fraction: float) -> None:
        now = time.monotonic()
        if self._enabled and now >= self._next:
            self._next = now + _PROGRESS_SECONDS
            self._shown = True
            print(f"\r\033[K{rows} rows read, {fraction:.0%}", end="", file=sys.stderr, flush=True)


def _show(report: ImportReport, *, as_json: bool) -> None:
    for warning in report.warnings:
        print(f"warning: {report.request.path}: {warning}", file=sys.stderr)
    if as_json:
        print(report_json(report))
    else:
        print(report_text(report), file=sys.stderr if report.status == "refused" else sys.stdout)


def _fail(arguments: argparse.Namespace, prefix: str, message: str, code: int) -> int:
    if arguments.json:
        print(failure_json(message))
    else:
        print(f"{prefix}{message}", file=sys.stderr)
    return code


def _regular_file(text: str) -> Path:
    """Raises ValueError for anything but a file: what cannot be read twice or has no size is no source."""
    if text == "-":
        raise ValueError("standard input is not supported, give a file")
    try:
        mode = Path(text).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{text}: no such file") from None
    except OSError as error:
        raise ValueError(f"{text}: cannot be read: {error.strerror or error}") from error
    if stat.S_ISDIR(mode):
        raise ValueError(f"{text}: is a directory; give a file")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{text}: is not a regular file; give one, such as a copy on disk")
    return Path(text)


def _request(arguments: argparse.Namespace) -> ImportRequest:
    symbol = SymbolRef.parse(arguments.symbol)
    if arguments.exchange is not None:
        exchange = arguments.exchange.strip().upper()
        if symbol.exchange not in {None, exchange}:
            raise ValueError(f"--symbol says exchange {symbol.exchange!r}, --exchange says {exchange!r}")
        symbol = SymbolRef(symbol.name, exchange)
    return ImportRequest(
        path=_regular_file(arguments.file),
        symbol=symbol,
        resolution=arguments.resolution,
        zone=arguments.timezone,
        columns=arguments.columns,
        type=arguments.type,
        session=arguments.session,
        replace=arguments.replace,
        dry_run=arguments.dry_run,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trading_api import",
        description="Import bars from a CSV file with a header. All of the file or nothing is stored.",
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="CSV in UTF-8, separated by comma, semicolon or tab")
    add("--symbol", required=True, metavar="S", help="NAME or EXCHANGE:NAME")
    add("--resolution", required=True, type=_resolution, metavar="R", help=f"one of {', '.join(Resolution)}")
    add(
        "--timezone", type=_zone, metavar="Z", help="of times without an offset, such as America/New_York (default UTC)"
    )
    add(
        "--columns",
        type=_columns,
        default={},
        metavar="FIELD=NAME,…",
        help="where names differ, as in time=Date,open=O",
    )
    add("--dry-run", action="store_true", help="check everything, write nothing")
    add("--replace", action="store_true", help="overwrite stored bars that differ, instead of refusing the file")
    add("--exchange", metavar="X", help="of a symbol that is not known yet")
    add("--type", choices=SYMBOL_TYPES, help="of a symbol that is not known yet (default stock)")
    add("--session", type=_session, metavar="HHMM-HHMM", help="of a symbol that is not known yet (default 24x7)")
    add("--json", action="store_true", help="report as JSON on standard output")
    add("--store", metavar="URL", help="default: TRADING_STORE_URL, else sqlite:///.local/data/trading.db")
    return parser


def _argument_error(error: ValueError) -> argparse.ArgumentTypeError:
    """argparse shows the message of this type only."""
    return argparse.ArgumentTypeError(str(error))


def _resolution(text: str) -> Resolution:
    try:
        return parse_resolution(text)
    except ValueError as error:
        raise _argument_error(error) from error


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(check_timezone(text))
    except ValueError as error:
        raise _argument_error(error) from error


def _columns(text: str) -> dict[str, str]:
    try:
        return parse_overrides(text)
    except ValueError as error:
        raise _argument_error(error) from error


def _session(text: str) -> str:
    try:
        parse_session(text)
    except ValueError as error:
        raise _argument_error(error) from error
    return text
