"""Entry point: parse, dispatch, and turn every expected failure into a message and an exit code."""

import argparse
import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from deploy.cli.arguments import build_parser
from deploy.errors import DeployError

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    arguments = build_parser().parse_args(argv)
    os.umask(0o077)  # nothing that we or nginx create is for others
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    _open_standard_streams()
    try:
        return _run(arguments)
    except DeployError as error:
        return _report(error, as_json=_json(arguments))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # `| head` has seen enough. Nothing more can be printed, also not by the interpreter at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A folder of another user, a full disk: what the system refused, where, and not a traceback.
        return _report(
            DeployError(f"{error.filename or 'the system'}: {error.strerror or error}"), as_json=_json(arguments)
        )


def _open_standard_streams() -> None:
    """A command called with a closed stream (`>&-`) writes to nowhere instead."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 (open until the end)


def _run(arguments: argparse.Namespace) -> int:
    module = importlib.import_module(f"deploy.cli.{arguments.verb.replace('-', '_')}")
    return int(module.run(arguments))


def _json(arguments: argparse.Namespace) -> bool:
    return bool(getattr(arguments, "json", False))


def _report(error: DeployError, *, as_json: bool) -> int:
    # Imported here: most runs have nothing to report.
    from deploy.cli.reporting import report

    report(error, as_json=as_json)
    return error.exit_code


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def entry() -> None:
    """The console script."""
    # Most commands live for half a second and leave no garbage that is worth looking for.
    gc.disable()
    sys.exit(main())
