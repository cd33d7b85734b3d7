"""`up`: from a plan to a running, healthy tree, or to nothing at all (P03, P04, P06 to P08)."""

import time
from contextlib import suppress
from dataclasses import dataclass

from deploy import artifact
from deploy.errors import DeployError
from deploy.plan import Plan
from deploy.runtime import down, prepare, reconcile
from deploy.runtime.inherited import check_inherited
from deploy.runtime.launch import Launcher
from deploy.runtime.preflight import check_ports
from deploy.runtime.prepare import Files
from deploy.runtime.progress import Progress
from deploy.runtime.shield import uninterrupted
from deploy.runtime.start_logs import StartLogs
from deploy.runtime.store_migration import StoreMigration
from deploy.runtime.supervisor_client import SupervisorClient, connect
from deploy.runtime.waiting import wait_gateway, wait_healthy


@dataclass(frozen=True)
class Result:
    """What up did. `started` and `restarted` are names of processes; both empty: nothing had changed."""

    fresh: bool
    started: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    gateway_reloaded: bool = False


def up(plan: Plan, launcher: Launcher, store: StoreMigration, progress: Progress) -> Result:
    """Bring the tree to `plan`. The caller holds the lock.

    Raises NotInherited, StartFailed, PortsBusy, NginxConfRefused, NatsConfRefused, MigrationFailed, ArtifactError;
    then the tree is as it was before, or not there.
    """
    files = prepare.render(plan)
    artifact.make_folders(plan.layout.folders())
    if prepare.client_conf_is_foreign(files):
        progress.note(f"{files.client.path} is not ours and stays; use supervisorctl -c {files.supervisord.path}")
    client = connect(plan.layout.socket, patience=down.ending_takes(plan.grace))
    if client is not None:
        with client:
            if note := check_inherited(plan.key_variable, client, launcher.environ):
                progress.note(note)
            outcome = reconcile.reconcile(plan, files, client, progress, lambda: store.bring_up_to_date(progress))
        return Result(False, outcome.started, outcome.restarted, outcome.stopped, outcome.gateway_reloaded)
    return _start(plan, files, launcher, store, progress)


def _start(plan: Plan, files: Files, launcher: Launcher, store: StoreMigration, progress: Progress) -> Result:
    progress.stage("checking")
    try:
        _make_ready(plan, files, store, progress)
    except BaseException:
        down.remove_short_folder(plan.layout)
        raise
    progress.stage("starting supervisord")
    logs = StartLogs.from_now(plan)
    try:
        with launcher.launch() as client:
            _bring_up(plan, client, logs, progress)
    except BaseException:
        # Ctrl-C included: up succeeds whole or leaves nothing behind (P04).
        with uninterrupted():
            _tear_down(plan, progress)
        raise
    return Result(True, started=tuple(process.full_name for process in plan.processes))


def _make_ready(plan: Plan, files: Files, store: StoreMigration, progress: Progress) -> None:
    down.end_unreachable(plan.layout, plan.grace, progress)
    down.end_leftovers(plan.layout, plan.grace, progress)
    # Ports first: `nginx -t` creates log files, and a busy port is to leave nothing written.
    check_ports(plan.endpoints())
    prepare.check(plan, files)
    store.bring_up_to_date(progress)
    prepare.write(files)
    prepare.link_socket(plan.layout)


def _bring_up(plan: Plan, client: SupervisorClient, logs: StartLogs, progress: Progress) -> None:
    deadline = time.monotonic() + plan.start_deadline
    progress.stage("starting servers")
    wait_healthy(plan, plan.awaited(), client, deadline, progress, logs=logs)
    progress.stage("starting the gateway")
    nginx = plan.processes[-1]
    progress.process(nginx.full_name, "starting")
    client.start(nginx.rpc_name)
    wait_gateway(plan, client, max(deadline, time.monotonic() + 2.0), progress, logs=logs)


def _tear_down(plan: Plan, progress: Progress) -> None:
    progress.stage("stopping what was started")
    # The failure that brought us here is the one to tell.
    with suppress(DeployError):
        down.down(plan.layout, plan.grace, progress)
