"""The command line of the instruments: `python -m trading_api instruments`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from trading_api.modules.datafeed.instruments.catalogue import load_catalogue, read_catalogue, write_catalogue
from trading_api.modules.datafeed.instruments.catalogue_entry import Problem
from trading_api.modules.datafeed.instruments.catalogue_source import STANDARD, format_of, read_text, write_text
from trading_api.modules.datafeed.instruments.directory import open_directory
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_arguments import instrument_parser
from trading_api.modules.datafeed.instruments.instrument_import import import_instruments
from trading_api.modules.datafeed.instruments.instrument_report import (
    InstrumentReport,
    failure_json,
    instrument_json,
    instrument_table,
    instrument_text,
    report_json,
    report_text,
)
from trading_api.modules.datafeed.output import discard_output
from trading_api.settings import Settings
from trading_api.shared.store.engine import open_engine
from trading_api.shared.store.errors import StoreError

OK, FAILED, USAGE = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """List, show, export or import instruments; `argv` is what follows the verb.

    Returns 0 when done, 1 when a file was refused, a symbol is unknown or the store failed (nothing was written), 2 for
    wrong usage. With `--json` each of these is JSON on standard output, but for arguments that cannot be parsed.
    """
    parser = instrument_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return USAGE if stop.code else OK
    try:
        engine = open_engine(arguments.store or os.environ.get("TRADING_STORE_URL") or Settings().store_url)
        try:
            code = _VERBS[arguments.verb](engine, arguments)
            sys.stdout.flush()
            return code
        finally:
            engine.dispose()
    except ValueError as error:
        return _fail(arguments, f"{parser.prog}: error: ", str(error), USAGE)
    except StoreError as error:
        untouched = "; nothing was written" if arguments.verb == "import" else ""
        return _fail(arguments, f"{parser.prog}: ", f"{error}{untouched}", FAILED)
    except KeyboardInterrupt:
        return _fail(arguments, f"{parser.prog}: ", "interrupted; run it again, which is safe", FAILED)
    except BrokenPipeError:
        discard_output()
        return OK


def _list(engine: Engine, arguments: argparse.Namespace) -> int:
    directory = open_directory(engine)
    found = directory.search(
        arguments.text, exchange=arguments.exchange, symbol_type=arguments.type, limit=arguments.limit
    )
    shown = [(instrument, directory.is_shipped(instrument)) for instrument in found]
    if arguments.json:
        print(json.dumps([instrument_json(instrument, shipped=shipped) for instrument, shipped in shown]))
    else:
        print(instrument_table(shown) if shown else "nothing found")
    return OK


def _show(engine: Engine, arguments: argparse.Namespace) -> int:
    directory = open_directory(engine)
    found = directory.find(arguments.symbol)
    if found is None:
        near = ", ".join(instrument.name for instrument in directory.search(arguments.symbol, limit=3))
        message = f"{arguments.symbol}: unknown symbol" + (f" (did you mean {near}?)" if near else "")
        return _fail(arguments, "", message, FAILED)
    shipped = directory.is_shipped(found)
    if arguments.json:
        print(json.dumps(instrument_json(found, shipped=shipped)))
    else:
        print(instrument_text(found, shipped=shipped))
    return OK


def _export(engine: Engine, arguments: argparse.Namespace) -> int:
    form = format_of(arguments.file, arguments.format)
    instruments = open_directory(engine).all()
    write_text(arguments.file, write_catalogue(instruments, form))
    if arguments.json and arguments.file != STANDARD:
        print(json.dumps({"ok": True, "file": arguments.file, "instruments": len(instruments)}))
    elif arguments.file != STANDARD:
        print(f"exported {len(instruments)} instruments to {arguments.file}")
    return OK


def _import(engine: Engine, arguments: argparse.Namespace) -> int:
    form = format_of(arguments.file, arguments.format)
    catalogue = read_catalogue(read_text(arguments.file), form)
    if not catalogue.places and not catalogue.problem_count:
        catalogue.complain(Problem("there are no instruments in it"))
    changes = import_instruments(
        engine,
        load_catalogue(),
        catalogue,
        replace=arguments.replace,
        dry_run=arguments.dry_run,
        rebuilding=_tell_rebuilding,
    )
    report = InstrumentReport(arguments.file, catalogue, changes, arguments.dry_run)
    refused = report.status == "refused"
    if arguments.json:
        print(report_json(report))
    else:
        print(report_text(report), file=sys.stderr if refused else sys.stdout)
    return FAILED if refused else OK


_VERBS: dict[str, Callable[[Engine, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "export": _export,
    "import": _import,
}


def _tell_rebuilding(instrument: Instrument) -> None:
    if sys.stderr.isatty():
        print(f"{instrument.name}: computing its bars anew", file=sys.stderr)


def _fail(arguments: argparse.Namespace, prefix: str, message: str, code: int) -> int:
    if arguments.json:
        print(failure_json(message))
    else:
        print(f"{prefix}{message}", file=sys.stderr)
    return code
