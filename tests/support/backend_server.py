"""Runs `python -m trading_api serve` from a copy of the package, as a process of its own."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.waiting import wait_until

SOURCE = Path(__file__).parents[2] / "backend" / "src" / "trading_api"
_SERVING = re.compile(r"serving (?P<what>.*) on http://(?P<host>[^:]+):(?P<port>\d+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass(slots=True)
class Server:
    """A running `serve`, and its log."""

    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        """Everything written so far."""
        return self.log_file.read_text(encoding="utf-8")

    @property
    def port(self) -> int:
        """The port it serves on, once it does."""
        found = wait_until(lambda: _SERVING.search(self.log), what=f"a server that serves\n{self.log}")
        assert found, "wait_until returns nothing else"
        return int(found["port"])

    def get(self, path: str, timeout: float = 60.0) -> Reply:
        """Ask for `path` on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def wait_for_log(self, text: str, count: int = 1) -> None:
        """Wait until `text` was logged `count` times."""
        wait_until(lambda: self.log.count(text) >= count, what=f"{count} times {text!r} in\n{self.log}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the process alone; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def copy_package(folder: Path) -> Path:
    """Copy the package below `folder`, to be run with PYTHONPATH; returns the copy."""
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    return Path(shutil.copytree(SOURCE, folder / "trading_api", ignore=ignore))


def run_module(package: Path, arguments: Sequence[str], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m trading_api` with the copied package until it ends."""
    return _run(package, ["-m", "trading_api", *arguments], environ)


def run_program(package: Path, program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a few lines of Python that may import the copied package."""
    return _run(package, ["-c", program], environ)


def _run(package: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    env = _environment(package, environ)
    return subprocess.run(command, env=env, cwd=package.parent, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def running(package: Path, *arguments: str, **environ: str) -> Iterator[Server]:
    """A `serve` of the copied package on a free port, in a process group of its own that is ended afterwards."""
    log_file = package.parent / "serve.log"
    command = [sys.executable, "-m", "trading_api", "serve", "--port", "0", *arguments]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            env=_environment(package, {"ENABLED_MODULES": "broker", **environ}),
            cwd=package.parent,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Server(process, log_file)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)


def _environment(package: Path, extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRADING_", "ENABLED_"))}
    return {**kept, "PYTHONPATH": str(package.parent), **extra}
