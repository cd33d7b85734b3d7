"""From a quote to its subscribers, through nginx with two instances: pushed by REST, stored, told over WebSockets.

500 subscribers stream 10 of 100 symbols each. They are one process on bare sockets, and another one pushes; both share
the machine's cores with the two instances, nginx and NATS.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.quotes_crowd import QuoteCrowd, quote_crowd, stamp
from benchmarks.result import Result
from support.project import Project

_SYMBOLS = [f"BENCH{number:03}" for number in range(100)]
_SUBSCRIBERS = 500
_CALM, _SECONDS = 20, 5
# Quotes a second, in ten requests; each is told to fifty.
_RATES = (100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
_REQUESTS = 10
_LATE_MS = 1000
_HEADER = "name,exchange,type,description,session,timezone,pricescale,minmov,volume_precision,calendar"


def run(project: Project, runs: int) -> Iterator[Result]:
    """Latency at a calm rate, and the highest rate at which every quote is told to everybody."""
    config = project.standard(datafeed={"instances": 2}, core={"reload": False})
    config["nginx"]["worker_connections"] = 4096
    project.write({**config, "bus": {"port": project.port + 11}, "feed": {"kind": "manual"}, "debug_routes": True})
    project.up()
    _import(project)
    _push(project, _CALM, 1, 1)
    calm = [_cuts(_push(project, _CALM, _SECONDS, 1)[0]) for _ in range(max(1, runs // 2))]
    best, told = _highest(project)
    project.down()
    note = "2 instances, 100 symbols, 500 subscribers of 10 each"
    yield Result("quote to subscriber, median", tuple(p50 for p50, _ in calm), "ms", note=note)
    yield Result("quote to subscriber, 99 %", tuple(p99 for _, p99 in calm), "ms", note=f"at {_CALM} quotes/s")
    yield Result(
        "highest rate of quotes without loss",
        (best,),
        "quotes/s",
        note="pushed, stored, told to 50 each within a second",
    )
    yield Result("updates at that rate", (told,), "updates/s", note="delivered to subscribers")


def _import(project: Project) -> None:
    rows = [f"{name},BENCH,crypto,Benchmark {name},24x7,Etc/UTC,100,1,4," for name in _SYMBOLS]
    file = project.folder / "symbols.csv"
    file.write_text("\n".join([_HEADER, *rows]) + "\n")
    argv = [sys.executable, "-P", "-m", "trading_api", "instruments", "import", str(file)]
    subprocess.run(argv, cwd=project.folder, env=project.env(), check=True, capture_output=True, timeout=60)


def _push(project: Project, rate: float, seconds: float, batch: int) -> tuple[list[float], int, float]:
    """Latencies in ms, how many there should be, and how many seconds the pushing took."""
    with quote_crowd(project.port, _SUBSCRIBERS, _SYMBOLS) as crowd:
        return _push_to(crowd, project, rate, seconds, batch)


def _push_to(
    crowd: QuoteCrowd, project: Project, rate: float, seconds: float, batch: int
) -> tuple[list[float], int, float]:
    url = f"{project.url}/api/v1/datafeed/debug/quotes"
    argv = [sys.executable, str(Path(__file__).with_name("quotes_pusher.py")), url, str(rate), str(seconds), str(batch)]
    began, count = stamp(), int(rate * seconds / batch) * batch
    expected = sum(crowd.wanted[_SYMBOLS[number % len(_SYMBOLS)]] for number in range(count))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pusher:
        assert pusher.stdin is not None
        assert pusher.stdout is not None
        pusher.stdin.write(" ".join(_SYMBOLS))
        pusher.stdin.close()
        found = crowd.latencies(began, expected, 3.0)
        answer = json.loads(pusher.stdout.read())
    return found, expected, float(answer["seconds"])


def _highest(project: Project) -> tuple[float, float]:
    """The highest rate at which every quote reached everybody within a second, and the updates a second it makes."""
    best = told = 0.0
    for rate in _RATES:
        found, expected, seconds = _push(project, rate, _SECONDS, rate // _REQUESTS)
        if len(found) < expected or max(found) > _LATE_MS:
            break
        best, told = max(best, rate * _SECONDS / seconds), max(told, expected / seconds)
        if seconds > _SECONDS * 1.1:
            # More is not taken.
            break
    return best, told


def _cuts(latencies: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(latencies, n=100)
    return cuts[49], cuts[98]
