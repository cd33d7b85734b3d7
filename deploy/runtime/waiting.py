"""Waits until processes are healthy, and notices at once when one of them dies."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError
from deploy.plan import Plan, Process
from deploy.runtime.health import ask
from deploy.runtime.progress import Progress
from deploy.runtime.start_logs import StartLogs
from deploy.runtime.supervisor_client import ProcessInfo, SupervisorClient

_PROBE_STEP_S = 0.01
_WATCH_STEP_S = 0.05
_PATIENCE_S = 10.0
_LOG_LINES = 25
DEAD_STATES = frozenset({"BACKOFF", "FATAL", "EXITED"})


@dataclass(frozen=True)
class Failure:
    """A process that did not come up: why in one line, and the last lines of its log."""

    name: str
    reason: str
    log: Path
    lines: tuple[str, ...]


class StartFailed(DeployError):
    """Processes did not come up; carries a Failure for each, and in `aftermath` what has become of the tree."""

    def __init__(self, failures: list[Failure]) -> None:
        self.failures = failures
        self.aftermath = "what was started has been stopped"
        super().__init__("\n".join(f"{failure.name}: {failure.reason}" for failure in failures))


def failure_of(logs: StartLogs, process: Process, reason: str) -> Failure:
    """The failure of one process, with the end of its log."""
    return Failure(process.full_name, reason, logs.path(process), logs.lines(process, _LOG_LINES))


class _Watch(threading.Thread):
    """Asks one process for its health until it answers."""

    def __init__(self, process: Process, timeout: float) -> None:
        super().__init__(daemon=True, name=f"health of {process.full_name}")
        self.process = process
        self.healthy = threading.Event()
        self.detail = "nothing listens"
        self._timeout = timeout
        self._stopped = threading.Event()
        self._pid = 0

    def run(self) -> None:
        endpoint = self.process.endpoint
        if endpoint is None:
            return self.healthy.set()
        target = endpoint.reachable()
        while not self._stopped.is_set():
            answer = ask(target.host, target.port, self.process.health_path, self._timeout)
            if answer.healthy:
                return self.healthy.set()
            self.detail = answer.detail
            self._stopped.wait(_PROBE_STEP_S)
        return None

    def stop(self) -> None:
        self._stopped.set()

    def has_died(self, info: ProcessInfo) -> bool:
        """Also when it lives again: supervisord starts one at once that lived for a second (`startsecs`)."""
        self._pid = self._pid or info.pid
        return info.state in DEAD_STATES or info.pid not in (0, self._pid)


def wait_healthy(
    plan: Plan,
    processes: Iterable[Process],
    supervisor: SupervisorClient,
    deadline: float,
    progress: Progress,
    *,
    doing: str = "starting",
    logs: StartLogs | None = None,
) -> None:
    """Return when every one of `processes` answered for its health; `deadline` is on the monotonic clock, in seconds.

    A failure is told by `logs`; left out, by whole ones. Raises StartFailed when one dies, or is not healthy in time.
    """
    watches = [_Watch(process, plan.health_timeout) for process in processes]
    for watch in watches:
        progress.process(watch.process.full_name, doing)
        watch.start()
    try:
        _watch_all(plan, watches, supervisor, deadline, progress, logs or StartLogs(plan.layout.logs))
    finally:
        for watch in watches:
            watch.stop()


def _watch_all(
    plan: Plan,
    watches: list[_Watch],
    supervisor: SupervisorClient,
    deadline: float,
    progress: Progress,
    logs: StartLogs,
) -> None:
    pending, told = list(watches), time.monotonic()
    while pending:
        _raise_for_dead(logs, pending, supervisor)
        pending[0].healthy.wait(_WATCH_STEP_S)
        for watch in [watch for watch in pending if watch.healthy.is_set()]:
            pending.remove(watch)
            supervisor.confirm([watch.process.rpc_name])
            progress.process(watch.process.full_name, "healthy")
        if pending and (now := time.monotonic()) > deadline:
            raise StartFailed([_late(plan, watch, logs) for watch in pending])
        if pending and now >= told + _PATIENCE_S:
            told = now
            _tell(pending, deadline - now, progress)


def _tell(pending: list[_Watch], left: float, progress: Progress) -> None:
    """Who looks on is to know that this goes on, and until when."""
    for watch in pending:
        progress.note(f"{watch.process.full_name} is not healthy yet: {watch.detail} (waiting {left:.0f} s more)")


def _late(plan: Plan, watch: _Watch, logs: StartLogs) -> Failure:
    reason = f"not healthy within {plan.start_deadline:g} s (health.start_deadline): {watch.detail}"
    return failure_of(logs, watch.process, reason)


def _raise_for_dead(logs: StartLogs, pending: list[_Watch], supervisor: SupervisorClient) -> None:
    infos = {info.full_name: info for info in supervisor.processes()}
    failures = [_dead(logs, watch, infos.get(watch.process.full_name)) for watch in pending]
    found = [failure for failure in failures if failure is not None]
    if found:
        raise StartFailed(found)


def _dead(logs: StartLogs, watch: _Watch, info: ProcessInfo | None) -> Failure | None:
    process = watch.process
    if info is None:
        return failure_of(logs, process, "supervisord does not know it")
    if not watch.has_died(info):
        return None
    reason = logs.reason(process) or info.reason or "it ended without a word"
    return failure_of(logs, process, f"died while starting: {reason}")


def wait_gateway(
    plan: Plan,
    supervisor: SupervisorClient,
    deadline: float,
    progress: Progress,
    *,
    logs: StartLogs | None = None,
) -> None:
    """Return when the gateway answered for every module. Raises StartFailed, told by `logs` as in `wait_healthy`."""
    nginx, logs = plan.processes[-1], logs or StartLogs(plan.layout.logs)
    target = plan.gateway.endpoint.reachable()
    watch = _Watch(nginx, plan.health_timeout)
    for path in plan.gateway.health_paths:
        while not (answer := ask(target.host, target.port, path, plan.health_timeout)).healthy:
            _raise_for_dead(logs, [watch], supervisor)
            if time.monotonic() > deadline:
                reason = f"GET {path} through the gateway: {answer.detail}"
                raise StartFailed([failure_of(logs, nginx, reason)])
            time.sleep(_PROBE_STEP_S)
    supervisor.confirm([process.rpc_name for process in plan.processes])
    progress.process(nginx.full_name, "healthy")
