"""One run of the generator at a time, so that two never mix their files (G09)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(package: Path, *, writing: bool) -> Iterator[None]:
    """Hold the lock of the folder `package`, alone when `writing`. Waits for others. No file of its own: the folder

    itself is locked, which a read-only one also can be. Where the file system has no locks, there is none.
    """
    descriptor = os.open(package, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _try_lock(descriptor, fcntl.LOCK_EX if writing else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> None:
    try:
        fcntl.flock(descriptor, kind)
    except OSError:
        return
