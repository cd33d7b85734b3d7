"""CPU and memory of processes, their children included."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """`cpu` is seconds of processor time since the start, `memory` resident bytes."""

    cpu: float = 0.0
    memory: int = 0


def usage_of(pids: Iterable[int]) -> dict[int, Usage]:
    """The usage of each process with its descendants; one that is gone is left out."""
    children = _children()
    return {pid: _family(pid, children) for pid in pids if pid and psutil.pid_exists(pid)}


def _children() -> dict[int, list[psutil.Process]]:
    found: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        found.setdefault(process.info["ppid"] or 0, []).append(process)
    return found


def _family(pid: int, children: dict[int, list[psutil.Process]]) -> Usage:
    own = _single(pid)
    for child in children.get(pid, []):
        below = _family(child.pid, children)
        own = Usage(own.cpu + below.cpu, own.memory + below.memory)
    return own


def _single(pid: int) -> Usage:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return Usage(times.user + times.system, process.memory_info().rss)
    except psutil.Error:
        return Usage()
