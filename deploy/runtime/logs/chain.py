"""A rotated log as one chain of files: `X.log`, `X.log.1`, `X.log.2` …, the newest first."""

import os
from collections.abc import Callable
from pathlib import Path

# While a writer shifts its backups, at most one number is missing at a time. Three in a row mean the end.
_MISSES_AT_END = 3


class OpenLog:
    """One open file of a chain. Open, it stays readable when its writer renames or deletes it."""

    __slots__ = ("fd", "inode")

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self.inode = os.fstat(self.fd).st_ino

    def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset`; empty at the end."""
        return os.pread(self.fd, count, offset)

    def status(self) -> os.stat_result:
        """Size and times of the file behind the descriptor, whatever its name is now."""
        return os.fstat(self.fd)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


def backup(path: Path, number: int) -> str:
    """Name of backup `number`; 0 is the live file."""
    return f"{path}.{number}" if number else str(path)


def open_chain(path: Path, last: Callable[[OpenLog], bool] | None = None) -> list[OpenLog]:
    """Open the files of a chain, newest first, up to and including the first one for which `last` is true.

    The writer may rotate meanwhile. Files only ever move to higher numbers, and the search goes upwards too, so
    it may meet a file twice, which it notices, but never jumps over one. Raises OSError for a file that exists
    but cannot be opened.
    """
    chain: list[OpenLog] = []
    number = misses = 0
    while misses < _MISSES_AT_END:
        try:
            log = OpenLog(backup(path, number))
        except FileNotFoundError:
            misses += 1
        except OSError:
            for opened in chain:
                opened.close()
            raise
        else:
            misses = 0
            if _add(chain, log) and last is not None and last(log):
                break
        number += 1
    return chain


def _add(chain: list[OpenLog], log: OpenLog) -> bool:
    if any(log.inode == known.inode for known in chain):
        log.close()
        return False
    chain.append(log)
    return True


def rotate(path: Path, backups: int) -> None:
    """Shift `X.log` to `X.log.1`, `.1` to `.2` … keeping `backups` of them, as supervisord does.

    With no backups the file is emptied instead. The writer must then open `X.log` anew. Raises OSError.
    """
    if backups <= 0:
        os.truncate(path, 0)
        return
    for number in range(backups - 1, -1, -1):
        try:
            Path(backup(path, number)).replace(backup(path, number + 1))
        except FileNotFoundError:
            continue
