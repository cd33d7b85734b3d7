"""Starts supervisord itself."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.errors import DeployError
from deploy.layout import Layout
from deploy.runtime.shield import uninterrupted
from deploy.runtime.supervisor_client import SupervisorClient, connect

_START_TIMEOUT_S = 10.0
_STEP_S = 0.005


class SupervisordFailed(DeployError):
    """supervisord did not start; the text holds what it printed."""


def supervisord_argv(python: Path, conf: Path, *, foreground: bool) -> list[str]:
    """The command that starts supervisord. `-P` keeps the project's folders off its import path."""
    argv = [str(python), "-P", "-m", "supervisor.supervisord", "-c", str(conf)]
    return [*argv, "-n", "-s"] if foreground else argv


def launch(python: Path, layout: Layout, environ: Mapping[str, str]) -> SupervisorClient:
    """Start supervisord as a daemon and connect to it. Raises SupervisordFailed with its output."""
    argv = supervisord_argv(python, layout.supervisord_conf, foreground=False)
    process = subprocess.Popen(
        argv,
        cwd=layout.project,
        env=_environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with process:
        try:
            output, _ = process.communicate(timeout=_START_TIMEOUT_S)
        except BaseException:
            _settle(process)
            raise
    if process.returncode != 0:
        words = output.decode(errors="replace").strip()
        raise SupervisordFailed(f"supervisord did not start (exit {process.returncode}): {words}")
    return _connected(layout)


def _settle(process: subprocess.Popen[bytes]) -> None:
    """Let an interrupted start come to its end: killed halfway it could leave a daemon that nobody can talk to yet."""
    with uninterrupted():
        try:
            process.communicate(timeout=_START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _connected(layout: Layout) -> SupervisorClient:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        client = connect(layout.socket)
        if client is not None:
            return client
        if time.monotonic() > deadline:
            raise SupervisordFailed(f"supervisord does not answer; see {layout.logs / 'supervisord.log'}")
        time.sleep(_STEP_S)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    # supervisor opens its configuration in the locale's encoding; paths in it are UTF-8.
    return {**environ, "PYTHONUTF8": "1"}


def alive(pid: int) -> bool:
    """Whether a process with this pid runs. A zombie does not: in a container nobody may collect it for long."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False  # no /proc here: launchd collects at once
    return stat.rpartition(b")")[2].split()[:1] == [b"Z"]
