"""A small tree of its own under a real supervisord, for tests that kill it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from support.waiting import wait_until

_CONF = """\
[unix_http_server]
file={socket}
chmod=0700
[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
nodaemon=true
user={user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
{programs}
"""


def escaped(text: object) -> str:
    """`text` as supervisord's configuration wants it."""
    return str(text).replace("%", "%%")


def program(name: str, code: str, folder: Path, extra: str = "") -> str:
    """A `[program:…]` section that runs Python `code`, with its log beside it; `extra` holds more lines of it."""
    script = folder / f"{name}.py"
    script.write_text(code, encoding="utf-8")
    command = escaped(f'"{sys.executable}" "{script}"')
    # supervisord expands this one option twice.
    log = escaped(escaped(folder / f"{name}.log"))
    return f"[program:{name}]\ncommand={command}\nstdout_logfile={log}\nredirect_stderr=true\nstartsecs=0\n{extra}\n"


@contextmanager
def supervised(folder: Path, programs: str, *, ready: int) -> Iterator[subprocess.Popen[bytes]]:
    """supervisord in a session of its own with `programs`, its socket at `folder/supervisor.sock`.

    Yields once it has `ready` children. At the end everything it ever started is killed.
    """
    conf = folder / "supervisord.conf"
    socket = folder / "supervisor.sock"
    user = psutil.Process().username()
    conf.write_text(
        _CONF.format(socket=escaped(socket), folder=escaped(folder), user=user, programs=programs), encoding="utf-8"
    )
    argv = [sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)]
    process = subprocess.Popen(
        argv, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: len(psutil.Process(process.pid).children()) >= ready, what=f"{ready} children")
        wait_until(socket.exists, what="supervisord's socket")
        yield process
    finally:
        doomed = [*_session(process.pid), *_all_of(process.pid)]
        kill(process)
        for child in doomed:
            _end(child)


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9`, and reap."""
    process.kill()
    process.wait(60)


def _all_of(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _session(leader: int) -> list[psutil.Process]:
    """Every process of the session that `leader` began; the number stays reserved while one of them lives."""
    return [process for process in psutil.process_iter() if process.pid != leader and _sid(process.pid) == leader]


def _sid(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _end(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.Error:
        return
