"""How long up, down and status take."""

import http.client
import time
from collections.abc import Iterator

from benchmarks import bare
from benchmarks.result import Result, ratios
from support.project import Project


def run(project: Project, runs: int) -> Iterator[Result]:
    """The whole commands on the shipped configuration, from exec to exit, interpreter start and printing included."""
    project.write(project.shipped())
    servers = bare.plan_of(project).servers()
    _timed(project, "start")  # warm: bytecode, disk cache
    _timed(project, "stop")
    firsts, ups, floors, agains, downs, statuses = [], [], [], [], [], []
    for _ in range(runs):
        answered, whole = _up(project)
        firsts.append(answered)
        ups.append(whole)
        agains.append(_timed(project, "start"))
        statuses.append(_timed(project, "status"))
        downs.append(_timed(project, "stop"))
        with bare.started(project, servers) as floor:
            floors.append(floor.seconds)
    yield Result("up ÷ the same servers started bare", ratios(firsts, floors), "ratio", limit=1.6)
    yield Result("up, to every module's first good answer", tuple(firsts), "s", note="through the gateway")
    yield Result("up, the whole command", tuple(ups), "s", note="the table included")
    yield Result("the same servers started bare and at once", tuple(floors), "s", note="to the last one's health")
    yield Result("up with nothing changed", tuple(agains), "s", limit=0.6)
    yield Result("down, idle", tuple(downs), "s", limit=0.8)
    yield Result("status", tuple(statuses), "s", limit=0.4)


def cycles(project: Project, count: int) -> Iterator[Result]:
    """Up and down `count` times; afterwards no process and no port may be left."""
    project.write(project.shipped())
    for _ in range(count):
        _timed(project, "start")
        _timed(project, "stop")
    left = len(project.processes()) + len(project.listening())
    yield Result(f"processes and ports left after {count} cycles", (float(left),), "count", limit=0)


def _up(project: Project) -> tuple[float, float]:
    """Seconds from exec to the first good answer of the last module through the gateway, and to the command's end."""
    began = time.perf_counter()
    with project.popen("start", project.config_name) as command:
        for module in ("core", "broker", "datafeed"):
            while not _answers(project, module) and command.poll() in (None, 0):
                time.sleep(0.005)
        answered = time.perf_counter() - began
        _, errors = command.communicate(timeout=60)
    if command.returncode:
        raise RuntimeError(errors)
    return answered, time.perf_counter() - began


def _answers(project: Project, module: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", project.port, timeout=5)
    try:
        connection.request("GET", f"/api/v1/{module}/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _timed(project: Project, verb: str) -> float:
    began = time.perf_counter()
    project.run(verb, project.config_name, check=0)
    return time.perf_counter() - began
