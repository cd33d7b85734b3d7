"""The floor: the tree's own server processes, started bare and at once, without supervisord, nginx or this tool."""

import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.project import Project

from deploy import loader, manifest
from deploy.layout import layout_of
from deploy.plan import Plan, Process, Site
from deploy.planner import plan

_STEP_S = 0.005


def plan_of(project: Project) -> Plan:
    """The plan that the command line makes of the project."""
    import sys

    modules = manifest.read(manifest.default_path())
    config = loader.load(project.config, modules, project.env())
    site = Site(layout_of(project.config, project.env()), Path(sys.executable), Path("nginx"))
    return plan(config, modules, site)


@dataclass(frozen=True)
class Bare:
    """Running servers, and the seconds from exec to the last one's first good answer."""

    processes: tuple[subprocess.Popen[bytes], ...]
    seconds: float


@contextmanager
def started(project: Project, servers: tuple[Process, ...]) -> Iterator[Bare]:
    """Start `servers` at once and wait for their health; stop them afterwards."""
    began = time.perf_counter()
    running = [_spawn(project, server) for server in servers]
    try:
        for server in servers:
            _wait(server)
        yield Bare(tuple(running), time.perf_counter() - began)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=10)


def _spawn(project: Project, server: Process) -> subprocess.Popen[bytes]:
    env = {**os.environ, **project.environment, **dict(server.env)}
    return subprocess.Popen(
        server.argv, cwd=project.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _wait(server: Process) -> None:
    deadline = time.perf_counter() + 30
    while not _healthy(server):
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{server.full_name} does not get healthy")
        time.sleep(_STEP_S)


def _healthy(server: Process) -> bool:
    assert server.endpoint is not None
    assert server.health_path is not None
    connection = http.client.HTTPConnection(server.endpoint.host, server.endpoint.port, timeout=5)
    try:
        connection.request("GET", server.health_path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
