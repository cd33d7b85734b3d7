"""Memory of the whole tree as the kernel shares it out (PSS)."""

import sys
from collections.abc import Iterator

import psutil
from benchmarks.result import Result
from support.project import Project


def run(project: Project, _runs: int) -> Iterator[Result]:
    """PSS per process, children of each included, some requests after the start. Linux only."""
    if sys.platform != "linux":
        print("memory: PSS is told by Linux only; left out")
        return
    project.write(project.shipped())
    project.up()
    for module in ("core", "broker", "datafeed"):
        for _ in range(50):
            project.get(f"/api/v1/{module}/health")
    status = project.status()
    rows = {row["name"]: _pss(row["pid"]) for row in status["processes"]}
    rows["supervisord"] = psutil.Process(status["supervisord"]).memory_full_info().pss / 2**20
    project.down()
    yield Result(
        "memory of the whole tree", (sum(rows.values()),), "MiB PSS", limit=260, note="the shipped tree, in watch mode"
    )
    for name, size in sorted(rows.items()):
        yield Result(f"memory of {name}", (size,), "MiB PSS")


def _pss(pid: int) -> float:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return float(sum(member.memory_full_info().pss for member in family)) / 2**20
