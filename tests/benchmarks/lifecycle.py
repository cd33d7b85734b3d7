"""How long up, down and status take."""

import time
from collections.abc import Iterator

from benchmarks import bare
from benchmarks.result import Result, ratios
from support.project import Project


def run(project: Project, runs: int) -> Iterator[Result]:
    """The whole commands, from exec to exit, interpreter start and printing included."""
    project.write()
    servers = bare.plan_of(project).servers()
    _timed(project, "start")  # warm: bytecode, disk cache
    _timed(project, "stop")
    ups, floors, agains, downs, statuses = [], [], [], [], []
    for _ in range(runs):
        ups.append(_timed(project, "start"))
        agains.append(_timed(project, "start"))
        statuses.append(_timed(project, "status"))
        downs.append(_timed(project, "stop"))
        with bare.started(project, servers) as floor:
            floors.append(floor.seconds)
    yield Result("up ÷ the same servers started bare", ratios(ups, floors), "ratio", limit=1.6)
    yield Result("up", tuple(ups), "s", note="three servers and nginx, whole command")
    yield Result("the same servers started bare and at once", tuple(floors), "s", note="to the last one's health")
    yield Result("up with nothing changed", tuple(agains), "s", limit=0.6)
    yield Result("down, idle", tuple(downs), "s", limit=0.8)
    yield Result("status", tuple(statuses), "s", limit=0.4)


def cycles(project: Project, count: int) -> Iterator[Result]:
    """Up and down `count` times; afterwards no process and no port may be left."""
    project.write()
    for _ in range(count):
        _timed(project, "start")
        _timed(project, "stop")
    left = len(project.processes()) + len(project.listening())
    yield Result(f"processes and ports left after {count} cycles", (float(left),), "count", limit=0)


def _timed(project: Project, verb: str) -> float:
    began = time.perf_counter()
    project.run(verb, project.config_name, check=0)
    return time.perf_counter() - began
