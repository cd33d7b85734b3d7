"""Runs a foreign program with a bound on its time and on what it may print."""

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_MAX_OUTPUT = 64 * 1024


@dataclass(frozen=True)
class Outcome:
    """`code` is the exit code (negative: the signal); None where it had to be killed for time or output."""

    code: int | None
    output: str


def bounded_run(argv: list[str], *, seconds: float, cwd: Path | None = None) -> Outcome:
    """Run `argv` with no input; standard output and error together, at most 64 KiB, within `seconds`.

    Past either bound it is killed with all that it started. Raises OSError when it cannot be executed.
    """
    deadline = time.monotonic() + seconds
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        try:
            output, ended = _read(process.stdout.fileno(), deadline)
            code = process.wait(max(0.0, deadline - time.monotonic())) if ended else None
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _kill_group(process)
    return Outcome(code, output.decode("utf-8", "replace"))


def _read(descriptor: int, deadline: float) -> tuple[bytes, bool]:
    """(what was printed, whether its end was reached)."""
    output = b""
    while (left := deadline - time.monotonic()) > 0 and len(output) < _MAX_OUTPUT:
        if not select.select([descriptor], [], [], left)[0]:
            break
        part = os.read(descriptor, _MAX_OUTPUT)
        if not part:
            return output, True
        output += part
    return output[:_MAX_OUTPUT], False


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        # Not yet reaped, so its number, and its group's, cannot have become another's.
        os.killpg(process.pid, signal.SIGKILL)
