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


def supervisord_argv(python: Path, conf: Path) -> list[str]:
    """The command that starts supervisord. `-P` keeps the project's folders off its import path."""
    return [str(python), "-P", "-m", "deploy.listeners.supervisord", "-c", str(conf)]


class Launcher:
    """Starts supervisord in two steps: `warm_up` has it import itself, `launch` lets it read its configuration.

    What was only warmed up ends with `close`; it has read and written nothing. `environ` is what it would inherit.
    """

    def __init__(self, python: Path, layout: Layout, environ: Mapping[str, str]) -> None:
        self._argv = supervisord_argv(python, layout.supervisord_conf)
        self._layout = layout
        self.environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Launcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm_up(self) -> None:
        """Start the process that will be supervisord, unless one runs already or there is nothing to start."""
        if self._layout.config.is_file() and not self._layout.socket.exists():
            self._process = self._spawn()

    def launch(self) -> SupervisorClient:
        """Let supervisord start as a daemon, and connect to it. Raises SupervisordFailed with its output."""
        process = self._process or self._spawn()
        self._process = None
        with process:
            try:
                output, _ = process.communicate(b"\n", timeout=_START_TIMEOUT_S)
            except BaseException:
                _settle(process)
                raise
        if process.returncode != 0:
            words = output.decode(errors="replace").strip()
            raise SupervisordFailed(f"supervisord did not start (exit {process.returncode}): {words}")
        return _connected(self._layout)

    def close(self) -> None:
        """End what was warmed up and never launched."""
        if self._process is not None:
            with self._process as process:
                process.kill()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._argv,
            cwd=self._layout.project,
            # supervisor opens its configuration in the locale's encoding; paths in it are UTF-8.
            env={**self.environ, "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


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
