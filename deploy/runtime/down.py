"""Stops a running tree, tier by tier (P05). Needs no configuration: supervisord knows what runs."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from deploy.errors import DeployError
from deploy.layout import Layout
from deploy.plan import Tier
from deploy.runtime.launch import alive
from deploy.runtime.progress import Progress
from deploy.runtime.supervisor_client import STOPPED_STATES, ProcessInfo, SupervisorClient, connect

_STEP_S = 0.005
# supervisord sends SIGKILL when the grace is over; this is how much later we still believe in it.
_KILL_MARGIN_S = 5.0


class StopFailed(DeployError):
    """Something would not end."""


@dataclass(frozen=True)
class Stopped:
    """What down did: the processes that it stopped, in order, and those left over from a dead supervisord."""

    processes: tuple[str, ...]
    leftovers: tuple[str, ...]


def down(layout: Layout, timeout: float, progress: Progress) -> Stopped:
    """Stop everything of this tree; nothing running is fine. `timeout` is the grace in seconds, per tier."""
    client = connect(layout.socket, patience=ending_takes(timeout))
    if client is None:
        left = (*end_unreachable(layout, timeout, progress), *end_leftovers(layout, timeout, progress))
        remove_short_folder(layout)
        return Stopped((), left)
    with client:
        stopped = stop_tree(client, timeout, progress)
    remove_short_folder(layout)
    return Stopped(stopped, ())


def remove_short_folder(layout: Layout) -> None:
    """A socket outside `.local`, for a long path, is to leave no trace there."""
    if layout.socket.parent != layout.run:
        with suppress(OSError):
            layout.socket.parent.rmdir()
            layout.socket_link.unlink(missing_ok=True)


def ending_takes(grace: float) -> float:
    """How long a supervisord that somebody else told to end may take for it, in seconds: the grace of every tier."""
    return len(Tier) * (grace + 1) + _KILL_MARGIN_S


def end_unreachable(layout: Layout, grace: float, progress: Progress) -> tuple[str, ...]:
    """End a supervisord of this tree that lives but cannot be talked to, because its socket was moved or removed."""
    from deploy.runtime import leftovers  # as below

    pid = leftovers.supervisord_of(layout.supervisord_conf)
    if pid is None:
        return ()
    progress.note(f"supervisord (pid {pid}) of this tree runs, but its socket is gone; ending it, tier by tier")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + ending_takes(grace)
    while alive(pid):
        if time.monotonic() > deadline:
            raise StopFailed(f"supervisord (pid {pid}) does not end; end it by hand")
        time.sleep(_STEP_S)
    return (f"supervisord (pid {pid})",)


def end_leftovers(layout: Layout, grace: float, progress: Progress) -> tuple[str, ...]:
    """End what a killed supervisord left behind (P08), and nothing else."""
    from deploy.runtime import leftovers  # here, not above: it looks at every process, and down rarely has to

    found = leftovers.find(layout.socket, layout.nginx_conf, layout.access_log)
    if not found:
        return ()
    progress.note(f"ending {len(found)} processes of this tree that an earlier supervisord left behind")
    return tuple(f"{left.name} (pid {left.pid})" for left in leftovers.end(found, grace))


def stop_tree(client: SupervisorClient, timeout: float, progress: Progress) -> tuple[str, ...]:
    """Stop the tree that `client` talks to: highest priority first, each tier at once, then supervisord itself."""
    pid = client.pid()
    stopped: list[str] = []
    for tier in _tiers(client):
        names = [info.full_name for info in tier if _up(info)]
        stop_processes(client, [info.rpc_name for info in tier], timeout)
        for name in names:
            progress.process(name, "stopped")
        stopped.extend(names)
    client.shutdown()
    _wait_for_end(pid, client)
    return tuple(stopped)


def _tiers(client: SupervisorClient) -> list[list[ProcessInfo]]:
    overview = client.overview()

    def priority(info: ProcessInfo) -> int:
        return overview[info.rpc_name]["priority"]

    ordered = sorted(client.processes(), key=priority, reverse=True)
    return [list(tier) for _, tier in groupby(ordered, key=priority)]


def stop_processes(client: SupervisorClient, rpc_names: list[str], timeout: float) -> None:
    """Stop these at once and wait for them. Raises StopFailed when SIGKILL did not help."""
    client.stop(rpc_names, timeout)
    deadline = time.monotonic() + timeout + _KILL_MARGIN_S
    while remaining := [info for info in client.processes() if info.rpc_name in rpc_names and _up(info)]:
        if time.monotonic() > deadline:
            names = ", ".join(info.full_name for info in remaining)
            raise StopFailed(f"did not end, even by SIGKILL: {names}")
        # One that had just died of itself may have been restarted meanwhile.
        if again := [info.rpc_name for info in remaining if info.state != "STOPPING"]:
            client.stop(again, timeout)
        time.sleep(_STEP_S)


def _up(info: ProcessInfo) -> bool:
    return info.state not in STOPPED_STATES


def _wait_for_end(pid: int, client: SupervisorClient) -> None:
    deadline = time.monotonic() + _KILL_MARGIN_S
    while alive(pid):
        if time.monotonic() > deadline:
            raise StopFailed(f"supervisord (pid {pid}) does not end")
        _nudge(client)
        time.sleep(_STEP_S)


def _nudge(client: SupervisorClient) -> None:
    """Any call ends supervisord's poll, which may last a second."""
    try:
        client.pid()
    except DeployError:
        client.close()
