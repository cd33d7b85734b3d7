"""What runs, and how it is (P10)."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.layout import Layout
from deploy.listeners.reason import last_reason
from deploy.runtime import applied
from deploy.runtime.applied import AppliedTree
from deploy.runtime.health import ask
from deploy.runtime.resources import Usage, usage_of
from deploy.runtime.supervisor_client import ProcessInfo, SupervisorAbsent, connect


@dataclass(frozen=True)
class ProcessStatus:
    """One process. `uptime` and `cpu` are seconds, `memory` is resident bytes; both count its children too.

    `health`: healthy, alive (it cannot be asked), `degraded: MESSAGE` as a module says, or why it does not answer.
    """

    name: str
    state: str
    health: str
    pid: int
    address: str
    modules: tuple[str, ...]
    uptime: float
    cpu: float
    memory: int
    restarts: int
    reason: str

    @property
    def healthy(self) -> bool:
        return self.state in ("RUNNING", "STARTING") and self.health in ("healthy", "alive")


@dataclass(frozen=True)
class TreeStatus:
    """The whole tree; `supervisord` is its pid, 0 when it does not run."""

    supervisord: int
    config: str
    processes: tuple[ProcessStatus, ...]

    @property
    def healthy(self) -> bool:
        return bool(self.supervisord and self.processes) and all(process.healthy for process in self.processes)

    def to_json(self) -> str:
        """For machines."""
        return json.dumps({**asdict(self), "healthy": self.healthy}, indent=2, ensure_ascii=False)


def read(layout: Layout) -> TreeStatus:
    """Ask supervisord, every server and the gateway. Never raises for a tree that is down or ill.

    Raises SupervisorFault while supervisord is stopping the tree, SupervisorStalled when it does not answer.
    """
    tree = applied.read(layout.snapshot)
    client = connect(layout.socket)
    if client is None:
        return TreeStatus(0, str(layout.config), ())
    try:
        with client:
            infos, overview, pid = client.processes(), client.overview(), client.pid()
    except SupervisorAbsent:
        # It ended while we asked.
        return TreeStatus(0, str(layout.config), ())
    order = {process.full_name: index for index, process in enumerate(tree.processes)}
    infos.sort(key=lambda info: (-order.get(info.full_name, 0), info.full_name))
    health = _health(infos, tree)
    usage = usage_of([info.pid for info in infos])
    rows = (_row(layout, info, tree, health[info.full_name], usage, overview) for info in infos)
    return TreeStatus(pid, tree.config or str(layout.config), tuple(rows))


def _health(infos: list[ProcessInfo], tree: AppliedTree) -> dict[str, str]:
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = pool.map(lambda info: _health_of(info, tree), infos)
        return {info.full_name: answer for info, answer in zip(infos, answers, strict=True)}


def _health_of(info: ProcessInfo, tree: AppliedTree) -> str:
    process = tree.named(info.full_name)
    if not info.alive:
        return "down"
    if process is None or process.endpoint is None:
        return "alive"
    if process.answers:
        return _server_health(process.endpoint, process.health_paths or (process.health_path,), tree.health_timeout)
    for path in tree.gateway_health_paths:
        answer = ask(*process.endpoint, path, tree.health_timeout)
        if not answer.healthy:
            return f"{path}: {answer.detail}"
    return "healthy"


def _server_health(endpoint: tuple[str, int], paths: Sequence[str | None], timeout: float) -> str:
    """How each module of a server is; nothing more is asked of a server that does not answer, so it costs one wait."""
    lacks: list[str] = []
    for path in paths:
        answer = ask(*endpoint, path, timeout)
        if not answer.healthy:
            return answer.detail
        if answer.degraded and answer.degraded not in lacks:
            lacks.append(answer.degraded)
    return f"degraded: {' '.join(lacks)}" if lacks else "healthy"


def _row(
    layout: Layout,
    info: ProcessInfo,
    tree: AppliedTree,
    health: str,
    usage: dict[int, Usage],
    overview: dict[str, dict[str, int]],
) -> ProcessStatus:
    process = tree.named(info.full_name)
    used = usage.get(info.pid, Usage())
    return ProcessStatus(
        name=info.full_name,
        state=info.state,
        health=health,
        pid=info.pid,
        address=f"{process.host}:{process.port}" if process and process.endpoint else "",
        modules=process.modules if process else (),
        uptime=info.uptime,
        cpu=used.cpu,
        memory=used.memory,
        restarts=overview.get(info.rpc_name, {}).get("restarts", 0),
        reason=_reason(layout.logs / f"{info.name}.log", info),
    )


def _reason(log: Path, info: ProcessInfo) -> str:
    if info.state in ("FATAL", "BACKOFF", "EXITED"):
        return last_reason(log) or info.reason
    return ""
