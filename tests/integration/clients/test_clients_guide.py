"""The programs that our guides show, run as they stand against a live server (G04, W03)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from support.backend_server import Server, copy_package, running
from support.clients_contract import live_sources
from support.ports import free_block
from support.program_blocks import python_blocks
from support.waiting import wait_until

from trading_api.codegen.clients import render_package

pytestmark = pytest.mark.integration
GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-clients.md"
URL = "http://127.0.0.1:8000"
FIRST, LIFE = range(2)


class Program:
    """A program that runs, and the lines that it has printed."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output

    def lines(self) -> list[str]:
        return self.output.read_text(encoding="utf-8").splitlines()

    def wait_for(self, start: str) -> None:
        """Wait until it has printed a line that begins with `start`."""
        wait_until(
            lambda: any(line.startswith(start) for line in self.lines()), what=f"{start!r} in {self.output}", timeout=30
        )

    def kinds(self) -> list[str]:
        """The first words of its lines, repetitions left out, once it has ended well."""
        assert self.process.wait(60) == 0, self.output.read_text(encoding="utf-8")
        words = [line.split()[0] for line in self.lines()]
        return [word for last, word in zip([None, *words], words, strict=False) if word != last]


@contextmanager
def started(text: str, port: int, folder: Path, path: Path) -> Iterator[Program]:
    """A program of a guide, with the server's URL set to `port`, run in `folder` with `path` to import from."""
    assert text.count(URL) == 1, "a program that shows the usual server"
    output = folder / "program.txt"
    command = [sys.executable, "-u", "-c", text.replace(URL, f"http://127.0.0.1:{port}")]
    env = {**os.environ, "PYTHONPATH": str(path)}
    with output.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=env)
    try:
        yield Program(process, output)
    finally:
        process.kill()
        process.wait(timeout=60)


def serve(package: Path, port: int) -> AbstractContextManager[Server]:
    """A server of the modules, with its store beside the package."""
    store = f"sqlite:///{package.parent}/trading.db"
    return running(package, "--port", str(port), ENABLED_MODULES="broker,datafeed", TRADING_STORE_URL=store)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return copy_package(tmp_path)


def test_G04_the_guide_holds_programs_only() -> None:
    blocks = python_blocks(GUIDE.read_text(encoding="utf-8"))
    assert len(blocks) == 2
    for block in blocks:
        compile(block, str(GUIDE), "exec")


def test_G04_the_first_program_of_the_guide_runs(package: Path, tmp_path: Path) -> None:
    text = python_blocks(GUIDE.read_text(encoding="utf-8"))[FIRST]
    port = free_block(1)
    with serve(package, port) as server, started(text, server.port, tmp_path, package.parent) as program:
        assert program.kinds() == ["found", "quote"]
        assert program.lines()[-1].startswith("quote BTCUSD ")


def test_W03_the_life_of_a_stream_in_the_guide_runs_over_a_restart(package: Path, tmp_path: Path) -> None:
    text = python_blocks(GUIDE.read_text(encoding="utf-8"))[LIFE]
    port = free_block(1)
    with serve(package, port) as server:
        assert server.port == port
        with started(text, port, tmp_path, package.parent) as program:
            program.wait_for("bar ")
            assert server.stop(signal.SIGTERM) == 0
            with serve(package, port):
                assert program.kinds() == ["refused", "bar", "lost", "back", "gap", "left"]


@pytest.mark.long
def test_G05_the_quick_start_of_the_package_runs(package: Path, tmp_path: Path) -> None:
    files = render_package(live_sources())
    for name, text in files.items():
        if name.startswith("client_generated/"):
            path = tmp_path / "trading_api_clients" / name.removeprefix("client_generated/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    (program_text,) = python_blocks(files["README.md"])
    with serve(package, free_block(1)) as server, started(program_text, server.port, tmp_path, tmp_path) as program:
        # It follows the stream until it is stopped.
        wait_until(lambda: len(program.lines()) >= 2, what=f"health and an update in {program.output}")
        assert "broker" in program.lines()[0]
        assert program.lines()[1].startswith("status=<ConnectionStatus.")
        assert program.process.poll() is None
