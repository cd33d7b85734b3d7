"""What a killed supervisord left behind of this tree (row P08): found with certainty, ended with grace.

supervisord puts SUPERVISOR_SERVER_URL, with the path of its socket, and SUPERVISOR_PROCESS_NAME into the environment
of each child. Every later descendant inherits them, also a shell or an editor that somebody opens from there, so they
are needed but not enough: see `_is_left`. nginx writes its title over its environment; it is known by its own
configuration. When in doubt a process is not ours: a port that it holds is then reported as busy.
"""

import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.runtime.command_text import command_text

if TYPE_CHECKING:
    import psutil

_LINUX = sys.platform == "linux"
_TERMINALS = ("/dev/pts/", "/dev/tty", "/dev/console")
_MASTER = "nginx: master process "
_WORKER = "nginx: worker process"
_SUPERVISORD = "deploy.listeners.supervisord"
_KILL_SECONDS = 2.0
_STEP_SECONDS = 0.01


@dataclass(frozen=True)
class Leftover:
    """A process of a tree whose supervisord is gone.

    `name` is its name in the tree (`broker-0`), or that of the process it descends from. `command` is masked and
    bounded. `created` is its start time in seconds (Unix time), which tells it from a later process with its number.
    """

    pid: int
    name: str
    command: str
    created: float
    nginx: bool = False


def find(socket_path: Path, nginx_conf: Path, access_log: Path) -> list[Leftover]:
    """This user's processes that a supervisord on `socket_path` started and left, with their descendants.

    Also an nginx master that runs exactly `nginx_conf`, and its workers when it was killed itself: they have
    `access_log` open. Children of a supervisord that is alive are not left over. Never the calling process or its
    ancestors.
    """
    sockets = {str(socket_path), os.path.realpath(socket_path)}
    confs = {str(nginx_conf), os.path.realpath(nginx_conf)}
    log = os.path.realpath(access_log)
    pids = _suspects([f"SUPERVISOR_SERVER_URL=unix://{path}" for path in sockets], {*confs, _WORKER}) - {os.getpid()}
    if not pids:
        return []
    # Only now: it costs tens of ms, and most of the time there is nothing.
    import psutil

    protected = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    roots: dict[int, str] = {}
    for process in _processes(pids - protected):
        name = _root_name(process, {f"unix://{path}" for path in sockets}, confs, log)
        if name is not None:
            roots[process.pid] = name
    return list(_with_descendants(roots, protected))


def supervisord_of(conf: Path) -> int | None:
    """The pid of this user's living supervisord that was started on exactly `conf`; None where there is none."""
    words = {str(conf), os.path.realpath(conf)}
    import psutil

    for process in _processes(_suspects((), words) - {os.getpid()}):
        try:
            argv = process.cmdline()
            if _SUPERVISORD in argv and argv[-2:-1] == ["-c"] and argv[-1] in words and _is_daemon(process):
                return process.pid
        except psutil.Error:
            continue
    return None


def _is_daemon(process: "psutil.Process") -> bool:
    """Whether it is at work. One that `up` only warmed up has the same command, and a pipe as its input."""
    if _LINUX:
        return _descriptor(process.pid, 0) == "/dev/null"
    return process.ppid() == 1


def end(leftovers: Iterable[Leftover], grace: float) -> list[Leftover]:
    """SIGTERM to all at once (SIGQUIT to nginx), SIGKILL to what is there after `grace` seconds.

    Returns those that are gone. A number that meanwhile belongs to another process is not touched.
    """
    targets = [(left, process) for left in leftovers if (process := _process(left)) is not None]
    for left, process in targets:
        _send(process, signal.SIGQUIT if left.nginx else signal.SIGTERM)
    remaining = _wait([process for _, process in targets], grace)
    doomed = {process.pid: process for survivor in remaining for process in [survivor, *_young(survivor)]}
    for process in doomed.values():
        _send(process, signal.SIGKILL)
    _wait(list(doomed.values()), _KILL_SECONDS)
    return [left for left, process in targets if _gone(process)]


def _suspects(variables: Iterable[str], confs: Iterable[str]) -> set[int]:
    """Processes worth a closer look. On Linux a few ms over /proc; elsewhere all."""
    if not _LINUX:
        import psutil

        return set(psutil.pids())
    marks = [os.fsencode(text) for text in variables]
    names = [os.fsencode(text) for text in confs]
    pids = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return {int(pid) for pid in pids if _mentions(pid, "environ", marks) or _mentions(pid, "cmdline", names)}


def _mentions(pid: str, file: str, texts: Iterable[bytes]) -> bool:
    try:
        content = Path("/proc", pid, file).read_bytes()
    except OSError:
        return False
    return any(text in content for text in texts)


def _processes(pids: Iterable[int]) -> "Iterator[psutil.Process]":
    import psutil

    for pid in sorted(pids):
        try:
            process = psutil.Process(pid)
            if process.uids().real == os.getuid():
                yield process
        except psutil.Error:
            continue


def _root_name(process: "psutil.Process", urls: set[str], confs: set[str], log: str) -> str | None:
    """The name in the tree of a process that supervisord itself started and left; None for any other."""
    import psutil

    try:
        if _runs_conf(process, confs):
            return None if _is_supervised(process) else "nginx"
        if _is_orphaned_worker(process, log):
            return "nginx"
        return _supervised_name(process, urls) if _is_left(process, urls) else None
    except (psutil.Error, OSError):
        # It ended while we looked, or cannot be looked at: not certain, so not ours.
        return None


def _runs_conf(process: "psutil.Process", confs: set[str]) -> bool:
    """nginx's title is its arguments, joined by spaces: the path must end where another option begins, or the text."""
    title = " ".join(process.cmdline())
    return title.startswith(_MASTER) and any(re.search(rf" -c {re.escape(conf)}( -|$)", title) for conf in confs)


def _is_orphaned_worker(process: "psutil.Process", log: str) -> bool:
    """Whether an nginx worker outlived its master. Its title names no configuration; the log that it writes is ours."""
    if not " ".join(process.cmdline()).startswith(_WORKER):
        return False
    parent = process.parent()
    if parent is not None and " ".join(parent.cmdline()).startswith(_MASTER):
        return False
    return any(file.path == log for file in process.open_files())


def _is_left(process: "psutil.Process", urls: set[str]) -> bool:
    """Whether supervisord started `process`, directly or through one that is gone, and is gone itself.

    supervisord's children stay in its session, each leads a process group, and they read and write pipes. A shell that
    somebody opened from one of them has a terminal, and leads a session in which its own jobs are.
    """
    if _supervised_name(process, urls) is None or _is_supervised(process):
        return False
    if _has_terminal(process) or not _writes_to_pipe(process):
        return False
    session, group = os.getsid(process.pid), os.getpgid(process.pid)
    if session == process.pid or _began_inside(session, urls):
        return False
    return group == process.pid or not _runs(group)


def _runs(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _supervised_name(process: "psutil.Process", urls: set[str]) -> str | None:
    environment = process.environ()
    return environment.get("SUPERVISOR_PROCESS_NAME") if environment.get("SUPERVISOR_SERVER_URL") in urls else None


def _is_supervised(process: "psutil.Process") -> bool:
    """Whether its supervisord is alive: a parent, of the same session; any other may have adopted it."""
    parent = process.parent()
    if parent is None or os.getsid(parent.pid) != os.getsid(process.pid):
        return False
    return any("supervisord" in Path(word).name for word in parent.cmdline()[:4])


def _began_inside(session: int, urls: set[str]) -> bool:
    import psutil

    try:
        return psutil.Process(session).environ().get("SUPERVISOR_SERVER_URL") in urls
    except psutil.Error:
        return False


def _has_terminal(process: "psutil.Process") -> bool:
    """Whether its input is a terminal. Not the controlling one: `--foreground` gives that to the whole tree."""
    if not _LINUX:
        return process.terminal() is not None
    return _descriptor(process.pid, 0).startswith(_TERMINALS)


def _writes_to_pipe(process: "psutil.Process") -> bool:
    return not _LINUX or any(_descriptor(process.pid, number).startswith("pipe:") for number in (1, 2))


def _descriptor(pid: int, number: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/fd/{number}").readlink())
    except FileNotFoundError:
        return ""


def _with_descendants(roots: dict[int, str], protected: set[int]) -> Iterator[Leftover]:
    import psutil

    children: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process)
    seen: set[int] = set()
    for root, name in roots.items():
        waiting = list(_processes([root]))
        while waiting:
            process = waiting.pop()
            if process.pid in seen or process.pid in protected or not (left := _described(process, name)):
                continue
            seen.add(process.pid)
            yield left
            waiting.extend(child for child in children.get(process.pid, []) if not _opened_by_user(child))


def _described(process: "psutil.Process", name: str) -> Leftover | None:
    import psutil

    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        command = command_text(process.cmdline()) or process.name()
        return Leftover(process.pid, name, command, process.create_time(), name == "nginx")
    except psutil.Error:
        return None


def _opened_by_user(process: "psutil.Process") -> bool:
    """A descendant at a terminal is a person's; it and what it started are left alone."""
    import psutil

    try:
        return _has_terminal(process)
    except (psutil.Error, OSError):
        # Another user's, such as a worker of nginx started as root: nobody types into those.
        return False


def _process(left: Leftover) -> "psutil.Process | None":
    import psutil

    try:
        process = psutil.Process(left.pid)
    except psutil.Error:
        return None
    return process if process.create_time() == left.created else None


def _young(process: "psutil.Process") -> "list[psutil.Process]":
    """What it has started meanwhile."""
    import psutil

    try:
        return [child for child in process.children(recursive=True) if not _opened_by_user(child)]
    except psutil.Error:
        return []


def _send(process: "psutil.Process", number: signal.Signals) -> None:
    import psutil

    try:
        # psutil compares start times first, so a reused number is refused.
        process.send_signal(number)
    except psutil.Error:
        return


def _wait(processes: "list[psutil.Process]", seconds: float) -> "list[psutil.Process]":
    """Those that are still there after `seconds`."""
    deadline = time.monotonic() + seconds
    while remaining := [process for process in processes if not _gone(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(_STEP_SECONDS)
    return remaining


def _gone(process: "psutil.Process") -> bool:
    import psutil

    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
