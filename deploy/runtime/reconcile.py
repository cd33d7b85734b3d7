"""Brings a running tree to a new plan: only what changed restarts (P06), and a change that fails is undone."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from deploy.errors import DeployError
from deploy.plan import Plan
from deploy.runtime import applied, down, prepare
from deploy.runtime.applied import AppliedProcess
from deploy.runtime.health import ask
from deploy.runtime.preflight import check_ports
from deploy.runtime.prepare import Files, Former
from deploy.runtime.progress import Progress
from deploy.runtime.shield import uninterrupted
from deploy.runtime.start_logs import StartLogs
from deploy.runtime.supervisor_client import Difference, ProcessInfo, SupervisorClient
from deploy.runtime.waiting import DEAD_STATES, StartFailed, wait_gateway, wait_healthy

_STEP_S = 0.01
_Address = tuple[str | None, int | None]


@dataclass(frozen=True)
class Changes:
    """What has to be done, as supervisor's RPC names (`broker:broker-0`, `nginx:nginx`).

    `dead` are processes that should run and do not; `in_the_way` are removed ones whose port is needed anew.
    `bus_files`: the bus restarts for what stands in its own files, and its command is the same.
    """

    difference: Difference
    dead: tuple[str, ...]
    in_the_way: tuple[str, ...]
    gateway: bool
    bus_files: bool = False

    def __bool__(self) -> bool:
        return bool(self.difference or self.dead or self.gateway)


@dataclass(frozen=True)
class Outcome:
    """What was done, as names of processes."""

    started: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    gateway_reloaded: bool = False


def find_changes(plan: Plan, files: Files, client: SupervisorClient) -> Changes:
    """Compare the running tree with the files of a plan. Changes nothing."""
    with prepare.candidate(files.supervisord) as path:
        seen = client.compare(path)
    difference = _with_bus(plan, files, seen)
    touched = {*difference.added, *difference.changed, *difference.removed}
    dead = [info.rpc_name for info in client.processes() if not info.alive and info.rpc_name not in touched]
    needed = set(_new_addresses(plan, difference))
    held = _held_addresses(plan, difference.removed)
    in_the_way = [name for name, address in held.items() if address in needed]
    return Changes(difference, tuple(dead), tuple(in_the_way), files.nginx.differs(), difference != seen)


def _with_bus(plan: Plan, files: Files, difference: Difference) -> Difference:
    """supervisord sees the bus's command only; what it is configured by stands in a file of its own."""
    touched = {*difference.added, *difference.changed}
    if plan.bus is None or plan.bus.rpc_name in touched or not files.bus_differs():
        return difference
    return replace(difference, changed=(plan.bus.rpc_name, *difference.changed))


def reconcile(
    plan: Plan,
    files: Files,
    client: SupervisorClient,
    progress: Progress,
    migrate: Callable[[], None] = lambda: None,
) -> Outcome:
    """Apply `files` to the running tree. When that fails the former files are restored and applied again.

    `migrate` brings the store up to date, when all else is known to be right and before anything is changed.
    """
    progress.stage("comparing with what runs")
    changes = find_changes(plan, files, client)
    if not changes:
        migrate()
        prepare.write(files)
        return _verify(plan, client, progress)
    _check(plan, files, changes)
    migrate()
    former = Former(files)
    prepare.write(files)
    try:
        return _apply(plan, changes, client, progress)
    except BaseException as error:
        with uninterrupted():
            aftermath = _go_back(plan, former, client, progress)
        if isinstance(error, StartFailed):
            error.aftermath = aftermath
        else:
            progress.note(aftermath)
        raise


def _verify(plan: Plan, client: SupervisorClient, progress: Progress) -> Outcome:
    deadline = time.monotonic() + plan.start_deadline
    try:
        wait_healthy(plan, plan.awaited(), client, deadline, progress, doing="checking")
        wait_gateway(plan, client, deadline, progress)
    except StartFailed as error:
        error.aftermath = "nothing was changed, and the tree still runs"
        raise
    return Outcome()


def _check(plan: Plan, files: Files, changes: Changes) -> None:
    difference = changes.difference
    ours = set(_held_addresses(plan, (*difference.changed, *difference.removed)).values())
    new = set(_new_addresses(plan, difference)) - ours
    check_ports(pair for pair in plan.endpoints() if (pair[1].host, pair[1].port) in new)
    prepare.check(plan, files)


def _new_addresses(plan: Plan, difference: Difference) -> list[_Address]:
    """Where processes will listen that are added or changed; and the gateway, which may move without a restart."""
    names = {*difference.added, *difference.changed}
    wanted = [endpoint for process, endpoint in plan.endpoints() if process.rpc_name in names]
    gateway = plan.gateway.endpoint
    moved = (gateway.host, gateway.port) not in _held_addresses(plan, (plan.processes[-1].rpc_name,)).values()
    return [(endpoint.host, endpoint.port) for endpoint in (*wanted, *([gateway] if moved else []))]


def _held_addresses(plan: Plan, rpc_names: Iterable[str]) -> dict[str, _Address]:
    """Where these processes of the tree listen now, by RPC name."""
    tree = applied.read(plan.layout.snapshot)
    found = {name: tree.named(full_name(name)) for name in rpc_names}
    return {name: (process.host, process.port) for name, process in found.items() if process is not None}


def _apply(plan: Plan, changes: Changes, client: SupervisorClient, progress: Progress) -> Outcome:
    deadline = time.monotonic() + plan.start_deadline
    difference = changes.difference
    first = [*difference.changed, *changes.in_the_way]
    progress.stage("stopping what changed")
    down.stop_processes(client, [*first, *changes.dead], plan.grace)
    logs = StartLogs.from_now(plan)
    progress.stage("starting what changed")
    client.adopt([*first, *difference.added])
    started = {*difference.added, *difference.changed, *changes.dead} - {plan.processes[-1].rpc_name}
    awaited = [process for process in plan.awaited() if process.rpc_name in started]
    # In the order of the tiers; and what is waited for is not all there is.
    for name in dict.fromkeys([*(process.rpc_name for process in awaited), *sorted(started)]):
        client.start(name)
    wait_healthy(plan, awaited, client, deadline, progress, logs=logs)
    reloaded = _apply_gateway(plan, changes, client)
    wait_gateway(plan, client, max(deadline, time.monotonic() + 2.0), progress, logs=logs)
    # Last, when the gateway no longer sends anything there.
    last = [name for name in difference.removed if name not in changes.in_the_way]
    down.stop_processes(client, last, plan.grace)
    client.adopt(last)
    return Outcome(
        started=tuple(full_name(name) for name in (*difference.added, *changes.dead)),
        restarted=tuple(full_name(name) for name in difference.changed),
        stopped=tuple(full_name(name) for name in difference.removed),
        gateway_reloaded=reloaded,
    )


def _apply_gateway(plan: Plan, changes: Changes, client: SupervisorClient) -> bool:
    """Start nginx where it does not run; where it runs and its file changed, let it reload without losing a request."""
    name = plan.processes[-1].rpc_name
    running = [info for info in client.processes() if info.rpc_name == name and info.alive]
    if not running:
        client.start(name)
    elif changes.gateway:
        _reload(client, running[0])
    return bool(running) and changes.gateway


def _reload(client: SupervisorClient, nginx: ProcessInfo) -> None:
    from deploy.runtime.gateway_reload import Reload  # psutil takes 30 ms to import, and reloads are rare

    reload = Reload(nginx.pid)
    client.signal(nginx.rpc_name, "HUP")
    reload.wait()


def _go_back(plan: Plan, former: Former, client: SupervisorClient, progress: Progress) -> str:
    """Undo the change; what has become of the tree, in a few words."""
    progress.stage("going back to the former configuration")
    try:
        former.restore()
        ill = _undo(plan, client)
    except DeployError as error:
        return f"going back to the former configuration failed as well ({error}); run: make supervise-restart"
    if ill:
        return f"the former configuration is back, but not {', '.join(ill)}: mend the cause, then make supervise-up"
    return "the former configuration is in force again"


def _undo(plan: Plan, client: SupervisorClient) -> list[str]:
    """Run the former processes again; those that do not come back."""
    back = client.compare()
    replaced = [*back.changed, *back.removed]
    down.stop_processes(client, replaced, plan.grace)
    client.adopt([*back.added, *replaced])
    for info in client.processes():
        if info.state == "STOPPED":
            client.start(info.rpc_name)
    client.signal(plan.processes[-1].rpc_name, "HUP")
    return _wait_former(applied.read(plan.layout.snapshot), plan.start_deadline, client)


def _wait_former(tree: applied.AppliedTree, seconds: float, client: SupervisorClient) -> list[str]:
    """Wait until the servers answer again; the names of those that died anew, or still do not answer."""
    deadline = time.monotonic() + seconds
    awaited = [process for process in tree.processes if process.answers]
    return [process.full_name for process in awaited if not _comes_back(process, tree.health_timeout, deadline, client)]


def _comes_back(server: AppliedProcess, timeout: float, deadline: float, client: SupervisorClient) -> bool:
    assert server.endpoint is not None, "what answers for its health listens"
    while not ask(*server.endpoint, server.health_path, timeout).healthy:
        states = {info.full_name: info.state for info in client.processes()}
        if states.get(server.full_name) in DEAD_STATES or time.monotonic() > deadline:
            return False
        time.sleep(_STEP_S)
    return True


def full_name(rpc: str) -> str:
    """The name that people use: a group of one is called by the one name."""
    group, _, name = rpc.partition(":")
    return name if name == group else rpc
