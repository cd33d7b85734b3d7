"""One command at a time changes a tree."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.errors import DeployError

_STEP_S = 0.05


class TreeBusy(DeployError):
    """Another command holds the lock for too long."""


@contextmanager
def tree_lock(path: Path, *, timeout: float, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file `path`. While another process holds it, wait up to `timeout` seconds; `waiting` is told once.

    Raises TreeBusy when the time is over. The kernel frees the lock of a process that dies.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(handle, path, timeout, waiting)
        os.truncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, timeout: float, waiting: Callable[[str], None]) -> None:
    deadline = time.monotonic() + timeout
    told = False
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not told:
            waiting(f"another command (pid {_holder(path)}) is changing this tree; waiting for it")
            told = True
        if time.monotonic() > deadline:
            raise TreeBusy(
                f"another command (pid {_holder(path)}) still holds {path}; see what it does, then try again"
            )
        time.sleep(_STEP_S)


def _holder(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="ascii") or "unknown"
    return "unknown"
