"""The unified log file: appended to by one follower, rotated by it, and cut back to what was committed."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError
from deploy.runtime.logs.chain import rotate


class AlreadyFollowedError(DeployError):
    """Another follower writes the same unified file."""


@dataclass(frozen=True)
class Mark:
    """The unified file as of a commit: its inode and its size in bytes."""

    inode: int
    size: int


class UnifiedLog:
    """Appends blocks of lines to `path`, which is made with mode 0600.

    `max_bytes` 0 means that it is never rotated. It may pass `max_bytes` by the block that fills it.
    """

    def __init__(self, path: Path, max_bytes: int, backups: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._fd = self._open()

    def append(self, block: bytes) -> None:
        """Write all of `block`. Raises OSError after writing none, some or all of it: see `roll_back`."""
        view = memoryview(block)
        while view:
            view = view[os.write(self._fd, view) :]

    def mark(self) -> Mark:
        """What there is now. Where the file was removed or renamed by somebody, a new one is begun first."""
        status = os.fstat(self._fd)
        if status.st_nlink == 0 or not self._is_live(status.st_ino):
            self._reopen()
            status = os.fstat(self._fd)
        return Mark(status.st_ino, status.st_size)

    def roll_back(self, mark: Mark) -> None:
        """Cut away what was written after `mark`; nothing to do when the file has been replaced or emptied since."""
        status = os.fstat(self._fd)
        if status.st_ino == mark.inode and status.st_size > mark.size:
            os.ftruncate(self._fd, mark.size)

    @property
    def full(self) -> bool:
        """Whether it is time to rotate."""
        return 0 < self._max_bytes <= os.fstat(self._fd).st_size

    def rotate(self) -> None:
        """Shift the backups and begin a new file. Raises OSError; the present file then stays in use."""
        rotate(self._path, self._backups)
        self._reopen()

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _reopen(self) -> None:
        fd = self._open()
        os.close(self._fd)
        self._fd = fd

    def _is_live(self, inode: int) -> bool:
        try:
            return self._path.stat().st_ino == inode
        except FileNotFoundError:
            return False


class UnifiedLock:
    """Held by the one process that may write the unified file of a folder; the kernel frees it when it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f".{path.name}.lock")
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> bool:
        """Whether this process holds the lock now. Does not wait."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        return True

    def held(self) -> AlreadyFollowedError:
        """The error to raise when another process keeps the lock."""
        holder = os.pread(self._fd, 32, 0).decode("ascii", "replace") or "unknown"
        return AlreadyFollowedError(
            f"{self._path}: another follower (pid {holder}) writes the unified log; stop that one, or this one"
        )

    def close(self) -> None:
        """Free the lock."""
        os.close(self._fd)
