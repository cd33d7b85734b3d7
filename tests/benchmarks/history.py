"""`/bars` of 5000 bars through the gateway, by wrk: of imported minutes, and of simulated ones."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.result import Result
from support.project import Project

_COUNT = 5000
_SECONDS = 6
_CONNECTIONS = 8


def run(project: Project, runs: int) -> Iterator[Result]:
    """Requests a second and the slowest of a hundred, with 8 connections kept alive. Needs wrk."""
    if shutil.which("wrk") is None:
        print("history: wrk is not installed; left out (apt-get install wrk)")
        return
    project.write(project.standard(core={"reload": False}))
    _import(project)
    project.up()
    for symbol, kind in (("BTCUSD", "imported"), ("EURUSD", "simulated")):
        path = f"/api/v1/datafeed/bars?symbol={symbol}&resolution=1&count_back={_COUNT}"
        assert len(project.get(path).json()["bars"]) == _COUNT
        found = [_ask(project.url + path) for _ in range(max(1, runs // 2))]
        yield Result(f"/bars of {_COUNT} {kind} minutes", tuple(rate for rate, _ in found), "requests/s")
        yield Result(f"/bars of {_COUNT} {kind} minutes, 99 %", tuple(p99 for _, p99 in found), "ms")
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


def _ask(url: str) -> tuple[float, float]:
    """Requests a second, and the 99th percentile in ms."""
    argv = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "--latency", "--timeout", "10s", url]
    output = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
    if failed:
        raise RuntimeError(f"{url}: {failed[0]}")
    rate, slowest = re.search(r"Requests/sec:\s+([\d.]+)", output), re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    assert rate is not None, output
    assert slowest is not None, output
    return float(rate[1]), float(slowest[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[slowest[2]]
