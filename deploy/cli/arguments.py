"""The command line as argparse sees it. `docs/reference/cli.md` is generated from it."""

import argparse
from collections.abc import Callable

DEFAULT_CONFIG = "dev-config.yaml"


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="backend-manager",
        description="Runs the trading backend that one YAML file describes: servers under supervisord, behind nginx.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 (status) not running, 130 interrupted.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (_start, _stop, _restart, _status, _plan, _logs, _gen_nginx, _gen_supervisor, _dev, _nginx):
        add(verbs)
    return parser


Verbs = argparse._SubParsersAction
_Add = Callable[["Verbs[argparse.ArgumentParser]"], None]


def _verb(verbs: "Verbs[argparse.ArgumentParser]", name: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", default=DEFAULT_CONFIG, help=f"the YAML file (default: {DEFAULT_CONFIG})")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output on standard output")


def _timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="time until SIGKILL, per tier (default: shutdown.grace)"
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError("expected 0 to 3600 seconds")
    return value


def _generation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--generate-nginx", action="store_true", help="accepted; nginx.conf is always generated anew")
    parser.add_argument(
        "--validate", action="store_true", help="accepted; every file is always checked by its real parser"
    )
    parser.add_argument("--verbose", action="store_true", help="say every step, with its time")


def _start(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "start", "bring the tree up, or to what the configuration says now")
    _config(parser)
    _generation(parser)
    parser.add_argument("--foreground", action="store_true", help="stay, show the logs, stop the tree on Ctrl-C")
    _json(parser)


def _stop(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "stop", "stop the tree: gateway, then modules, then core")
    _config(parser)
    _timeout(parser)
    _json(parser)


def _restart(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "restart", "check the configuration, then stop and start the tree")
    _config(parser)
    _timeout(parser)
    _generation(parser)
    _json(parser)


def _status(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "status", "show every process with its health; exit 0 only when all is healthy")
    _config(parser)
    _json(parser)


def _plan(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "plan", "show what start would do now; change nothing")
    _config(parser)
    _json(parser)


def _logs(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "logs", "show the logs of all processes, merged")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="only these: broker-0, or broker for all its instances"
    )
    parser.add_argument("--config", default=DEFAULT_CONFIG, help=f"the YAML file (default: {DEFAULT_CONFIG})")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines are written")
    parser.add_argument("-n", "--lines", type=_count, default=20, help="lines per log to begin with (default: 20)")
    parser.add_argument("--nginx", action="store_true", help="the gateway's access and error log instead")
    parser.add_argument("--clean", action="store_true", help="empty every log and keep the files")
    _json(parser)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) > 100_000:
        raise argparse.ArgumentTypeError("expected 0 to 100000")
    return int(text)


def _output(parser: argparse.ArgumentParser, tool: str) -> None:
    _config(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write to FILE (default: standard output)")
    parser.add_argument("--validate", action="store_true", help=f"check the result with {tool}")


def _gen_nginx(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    _output(_verb(verbs, "gen-nginx-conf", "generate nginx.conf"), "nginx -t")


def _gen_supervisor(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    _output(_verb(verbs, "gen-supervisor-conf", "generate supervisord.conf"), "supervisor's own parser")


def _dev(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "dev", "run every module in one process on the gateway's port, without nginx and supervisord")
    _config(parser)


def _nginx(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    parser = _verb(verbs, "nginx", "find, install or verify the nginx that the gateway runs on")
    parser.add_argument("action", choices=("check", "install", "verify"), help="what to do")
    _config(parser)
    _json(parser)
