"""`/bars` of 5000 bars through the gateway, by wrk: of imported minutes, and of simulated ones."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import wrk
from benchmarks.result import Result
from support.project import Project

_COUNT = 5000
_SECONDS = 6
_CONNECTIONS = 8


def run(project: Project, runs: int) -> Iterator[Result]:
    """Requests a second and the slowest of a hundred, with 8 connections kept alive. Needs wrk."""
    if not wrk.is_here("history"):
        return
    project.write(project.standard(core={"reload": False}))
    _import(project)
    project.up()
    for symbol, kind in (("BTCUSD", "imported"), ("EURUSD", "simulated")):
        path = f"/api/v1/datafeed/bars?symbol={symbol}&resolution=1&count_back={_COUNT}"
        assert len(project.get(path).json()["bars"]) == _COUNT
        found = [
            wrk.ask(project.url + path, connections=_CONNECTIONS, seconds=_SECONDS) for _ in range(max(1, runs // 2))
        ]
        yield Result(f"/bars of {_COUNT} {kind} minutes", tuple(one.rate for one in found), "requests/s")
        yield Result(f"/bars of {_COUNT} {kind} minutes, 99 %", tuple(one.p99 for one in found), "ms")
    project.down()


def _import(project: Project) -> None:
    file = project.folder / "minutes.csv"
    _write(file)
    options = ["--symbol", "BTCUSD", "--resolution", "1"]
    argv = [sys.executable, "-P", "-m", "trading_api", "import", str(file), *options]
    subprocess.run(argv, cwd=project.folder, env=project.env(), check=True, capture_output=True, timeout=120)


def _write(file: Path) -> None:
    start = datetime(2024, 1, 2, tzinfo=UTC)
    rows = (
        f"{(start + timedelta(minutes=number)).isoformat()},{price}.1,{price}.9,{price}.05,{price}.5,{number % 97}.25"
        for number, price in ((number, 40_000 + number % 977) for number in range(20_000))
    )
    file.write_text("time,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
