"""The command line of the datafeed: `python -m trading_api import`."""

from __future__ import annotations

import argparse
import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.calendars import calendar
from trading_api.modules.datafeed.importing.columns import parse_overrides
from trading_api.modules.datafeed.importing.importer import PATIENCE_SECONDS, import_bars
from trading_api.modules.datafeed.importing.progress import ProgressBar, Stage
from trading_api.modules.datafeed.importing.report import ImportReport, failure_json, report_json, report_text
from trading_api.modules.datafeed.importing.request import ImportRequest
from trading_api.modules.datafeed.instruments.catalogue import SYMBOL_TYPES, check_timezone
from trading_api.modules.datafeed.instruments.directory import open_directory
from trading_api.modules.datafeed.instruments.instrument import SymbolRef
from trading_api.modules.datafeed.output import reader_may_leave
from trading_api.modules.datafeed.resolution import Resolution, parse_resolution
from trading_api.modules.datafeed.session import parse_session
from trading_api.settings import Settings

OK, FAILED, USAGE = 0, 1, 2
MOST_WAIT_SECONDS = 86_400


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
    progress = ProgressBar()
    try:
        with _stoppable():
            report = _import(arguments, progress)
    except ValueError as error:
        return _fail(arguments, f"{parser.prog}: error: ", str(error), USAGE)
    except StoreError as error:
        return _fail(arguments, f"{parser.prog}: ", f"{error}; nothing was written", FAILED)
    except KeyboardInterrupt:
        return _fail(arguments, f"{parser.prog}: ", _interrupted(progress.stage), FAILED)
    _show(report, as_json=arguments.json)
    return FAILED if report.status == "refused" else OK


def _import(arguments: argparse.Namespace, progress: ProgressBar) -> ImportReport:
    """Raises ValueError for wrong usage, and StoreError."""
    request = _request(arguments)
    store = open_store(arguments.store or os.environ.get("TRADING_STORE_URL") or Settings().store_url)
    with closing(store), progress:
        return import_bars(request, open_directory(store.engine), store, progress, patience=arguments.wait)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, unless somebody else has use for it."""
    in_charge = threading.current_thread() is threading.main_thread()
    if not in_charge or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupted(stage: Stage) -> str:
    """The end of a transaction cannot be interrupted, so that nobody knows here which way it went."""
    stored = "all of the file was stored, or nothing" if stage is Stage.WRITING else "nothing was written"
    return f"interrupted; {stored}; run it again, which is safe"


def _show(report: ImportReport, *, as_json: bool) -> None:
    with reader_may_leave():
        _print(report, as_json=as_json)


def _print(report: ImportReport, *, as_json: bool) -> None:
    for warning in report.warnings:
        print(f"warning: {report.request.path}: {warning}", file=sys.stderr)
    if as_json:
        print(report_json(report))
    else:
        print(report_text(report), file=sys.stderr if report.status == "refused" else sys.stdout)


def _fail(arguments: argparse.Namespace, prefix: str, message: str, code: int) -> int:
    with reader_may_leave():
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
        calendar=arguments.calendar,
        replace=arguments.replace,
        dry_run=arguments.dry_run,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trading_api import",
        description="Import bars from a file of CSV or Parquet. All of the file or nothing is stored.",
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="CSV in UTF-8 with a header, separated by comma, semicolon, tab or |; or Parquet")
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
    add(
        "--calendar",
        type=_calendar,
        metavar="CODE",
        help="holidays and half days of a symbol that is not known yet, such as XNYS (default by its exchange)",
    )
    add(
        "--wait",
        type=_wait,
        default=PATIENCE_SECONDS,
        metavar="SECONDS",
        help="how long to wait for others who write to the store (default %(default)g)",
    )
    add("--json", action="store_true", help="report as JSON on standard output")
    add("--store", metavar="URL", help="default: TRADING_STORE_URL, else sqlite:///.local/data/trading.db")
    return parser


def _calendar(text: str) -> str:
    """Empty for no holidays."""
    try:
        return calendar(text).code if text else ""
    except ValueError as error:
        raise _argument_error(error) from error


def _argument_error(error: ValueError) -> argparse.ArgumentTypeError:
    """argparse shows the message of this type only."""
    return argparse.ArgumentTypeError(str(error))


def _resolution(text: str) -> Resolution:
    try:
        return parse_resolution(text)
    except ValueError as error:
        raise _argument_error(error) from error


def _wait(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_WAIT_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; give seconds, from 0 to {MOST_WAIT_SECONDS}")
    return seconds


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
