"""The arguments of `python -m trading_api instruments`."""

from __future__ import annotations

import argparse

from trading_api.modules.datafeed.instruments.catalogue import FORMATS, MAX_INSTRUMENTS, SYMBOL_TYPES
from trading_api.modules.datafeed.instruments.catalogue_source import STANDARD


def instrument_parser() -> argparse.ArgumentParser:
    """Of all verbs; `verb` names the one that was chosen."""
    parser = argparse.ArgumentParser(
        prog="python -m trading_api instruments",
        description="The symbols that the datafeed knows: shipped ones, and those of the store, which come first.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="answer as JSON on standard output")
    common.add_argument(
        "--store", metavar="URL", help="default: TRADING_STORE_URL, else sqlite:///.local/data/trading.db"
    )
    _add_list(verbs.add_parser("list", parents=[common], help="list instruments, or search them"))
    show = verbs.add_parser("show", parents=[common], help="show everything about one symbol")
    show.add_argument("symbol", metavar="SYMBOL", help="NAME or EXCHANGE:NAME, in any case")
    export = verbs.add_parser("export", parents=[common], help="write all instruments as a catalogue")
    export.add_argument(
        "file", metavar="FILE", nargs="?", default=STANDARD, help="to write; - is standard output (default)"
    )
    _add_format(export)
    _add_import(verbs.add_parser("import", parents=[common], help="add or change instruments from a catalogue"))
    return parser


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", nargs="?", default="", help="search this, as /search does")
    parser.add_argument("--exchange", default="", metavar="X", help="only this exchange")
    parser.add_argument("--type", default="", choices=SYMBOL_TYPES, help="only this type")
    parser.add_argument(
        "--limit", type=_count, default=MAX_INSTRUMENTS, metavar="N", help="at most so many (default: all)"
    )


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.description = "Add or change instruments. All of the file or nothing is taken over; twice is once."
    parser.add_argument("file", metavar="FILE", help="YAML or CSV in UTF-8, as export writes it; - is standard input")
    parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
    parser.add_argument("--replace", action="store_true", help="change what is known otherwise, instead of refusing it")
    _add_format(parser)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, help="default: by the file's name; yaml for -")


def _count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a count; give a number from 1")
    return number
