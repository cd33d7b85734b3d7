"""The command line: `python -m trading_api VERB`. Each verb imports only what it needs."""

import argparse
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from trading_api.server.options import DEFAULT_GRACE_S, ServeOptions

# Verbs that parse their own arguments: `module:function`, called with what follows the verb.
_OWN_PARSERS = {
    "import": "trading_api.modules.datafeed.commands:main",
    "instruments": "trading_api.modules.datafeed.instruments.instrument_commands:main",
    "migrate": "trading_api.shared.store.command:main",
    "new-module": "trading_api.codegen.new_module.command:main",
    "token": "trading_api.shared.users.token_command:main",
}
_FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb. Returns the exit code: 0 done, 1 failed, 2 wrong usage or settings."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in _OWN_PARSERS:
        return _delegate(arguments[0], arguments[1:])
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def _delegate(verb: str, arguments: Sequence[str]) -> int:
    module, _, function = _OWN_PARSERS[verb].partition(":")
    with _stopped_at_once(verb, as_json="--json" in arguments):
        run: Callable[[Sequence[str]], int] = getattr(import_module(module), function)
    return run(arguments)


@contextmanager
def _stopped_at_once(verb: str, *, as_json: bool) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the process within the block, where a verb is loaded and has done nothing yet.

    Not by an exception: within an import it may get lost, or come out as another one.
    """

    def stop(*_: object) -> None:
        _tell_interrupted(verb, as_json=as_json)
        os._exit(_FAILED)

    usual = (signal.SIG_DFL, signal.default_int_handler)
    in_charge = threading.current_thread() is threading.main_thread()
    # Who ignores a signal, or has other use for it, still does.
    taken = [each for each in (signal.SIGINT, signal.SIGTERM) if in_charge and signal.getsignal(each) in usual]
    before = [signal.signal(each, stop) for each in taken]
    try:
        yield
    finally:
        for number, handler in zip(taken, before, strict=True):
            signal.signal(number, handler)


def _tell_interrupted(verb: str, *, as_json: bool) -> None:
    """In the words of the verbs, which are not loaded yet."""
    message = "interrupted; nothing was written; run it again, which is safe"
    problems = [{"line": None, "message": message}]
    failure = {"ok": False, "status": "failed", "error": message, "problem_count": 1, "problems": problems}
    told = json.dumps(failure | {"warnings": []}) if as_json else f"python -m trading_api {verb}: {message}"
    # Nothing is printed yet; and nobody may be there to read it.
    with suppress(OSError):
        os.write((sys.stdout if as_json else sys.stderr).fileno(), f"{told}\n".encode())


def _serve(parsed: argparse.Namespace) -> int:
    from trading_api.server.command import serve
    from trading_api.server.process import leave

    options = ServeOptions(host=parsed.host, port=parsed.port, grace_s=parsed.grace)
    leave(serve(options, reload=parsed.reload))


def _generate(parsed: argparse.Namespace) -> int:
    from trading_api.codegen.command import generate, generate_ahead
    from trading_api.codegen.order import Order
    from trading_api.server.process import collector_paused

    order = Order(parsed.modules, parsed.check, parsed.quick, parsed.output_dir, parsed.base)
    # One short run leaves no garbage that is worth looking for.
    with collector_paused():
        return generate_ahead(sys.stdin) if parsed.ahead else generate(order, as_json=parsed.json)


def _list_modules(parsed: argparse.Namespace) -> int:
    from trading_api.codegen.command import list_modules

    return list_modules(as_json=parsed.json)


def _clean_generated(parsed: argparse.Namespace) -> int:
    from trading_api.codegen.command import clean

    return clean(as_json=parsed.json)


def _generate_ws_routers(parsed: argparse.Namespace) -> int:
    from trading_api.codegen.command import generate_ws_routers

    return generate_ws_routers(parsed.module)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trading_api", description="The trading backend.")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_serve(verbs.add_parser("serve", help="serve the enabled modules in this process"))
    _add_generate(verbs.add_parser("generate", help="bring generated files up to date"))
    routers = verbs.add_parser("generate-ws-routers", help="bring only the generated WebSocket routers up to date")
    routers.add_argument("--module", type=_names, default=(), metavar="NAME", help="only this one (default: all)")
    routers.set_defaults(run=_generate_ws_routers)
    listing = verbs.add_parser("list-modules", help="show every module with its versions")
    _add_json(listing)
    listing.set_defaults(run=_list_modules)
    cleaning = verbs.add_parser("clean-generated", help="remove everything generated")
    _add_json(cleaning)
    cleaning.set_defaults(run=_clean_generated)
    verbs.add_parser("import", help="import bars from a CSV or Parquet file; see: import --help")
    verbs.add_parser("instruments", help="list, export or import the known symbols; see: instruments --help")
    verbs.add_parser("migrate", help="bring the store's tables up to date; see: migrate --help")
    verbs.add_parser("new-module", help="write a small module to start from; see: new-module --help")
    verbs.add_parser("token", help="make a token, or a secret, to try out users with; see: token --help")
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    default = ServeOptions()
    parser.add_argument("--host", default=default.host, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=default.port, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--reload", action="store_true", help="serve edits of the source as they are made")
    parser.add_argument(
        "--grace",
        type=_seconds,
        default=DEFAULT_GRACE_S,
        metavar="SECONDS",
        help="time between SIGTERM and SIGKILL; open requests and shutdown hooks fit in it (default: %(default)s)",
    )
    parser.set_defaults(run=_serve)


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 if a file is stale, or clients of --base would break",
    )
    parser.add_argument("--modules", type=_names, default=(), metavar="A,B", help="only these (default: all)")
    parser.add_argument("--output-dir", type=Path, metavar="DIR", help="also write specs and clients there, to publish")
    parser.add_argument(
        "--base", metavar="REV", help="the git revision to compare contracts with (default: the newest tag v*, or HEAD)"
    )
    parser.add_argument("--quick", action="store_true", help="only what serving needs: everything but the clients")
    _add_json(parser)
    # For the deployment tool: decide by a line from standard input.
    parser.add_argument("--ahead", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=_generate)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output on standard output")


def _names(text: str) -> tuple[str, ...]:
    """`a,b` as names; each once."""
    return tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return port


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; give seconds, more than 0 and at most 3600")
    return seconds


if __name__ == "__main__":
    from trading_api.server.process import leave

    leave(main())
