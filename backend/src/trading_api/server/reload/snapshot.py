"""What the source files hold: the truth about whether something was edited."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

# Two writes closer together than the file system's clock ticks can leave the same time; within this span after a
# write, a file is read again instead of trusting its time.
_RACY_NS = 50_000_000


@dataclass(frozen=True, slots=True)
class _FileState:
    mtime_ns: int
    size: int
    digest: bytes
    settled: bool


class Snapshot:
    """The state of every file below a folder that `wanted` (given its relative path) accepts."""

    def __init__(self, root: Path, wanted: Callable[[PurePath], bool], skipped_folders: frozenset[str]) -> None:
        self._root = root
        self._wanted = wanted
        self._skipped = skipped_folders
        self._files: dict[PurePath, _FileState] = {}
        self.update()

    def update(self) -> frozenset[PurePath]:
        """Look again. Returns the files that are new, gone or hold something else than at the last look."""
        before, self._files = self._files, dict(self._scan(self._files))
        names = before.keys() | self._files.keys()
        return frozenset(name for name in names if _digest(before.get(name)) != _digest(self._files.get(name)))

    def _scan(self, before: dict[PurePath, _FileState]) -> Iterator[tuple[PurePath, _FileState]]:
        for folder, folders, files in os.walk(self._root):
            folders[:] = [name for name in folders if name not in self._skipped]
            for name in files:
                path = Path(folder, name)
                relative = path.relative_to(self._root)
                state = _look(path, before.get(relative)) if self._wanted(relative) else None
                if state:
                    yield relative, state


def _look(path: Path, before: _FileState | None) -> _FileState | None:
    """The state of a file, read only if its time or size say that it may have changed; None if it is gone."""
    try:
        stat = path.stat()
        if before and before.settled and (before.mtime_ns, before.size) == (stat.st_mtime_ns, stat.st_size):
            return before
        digest = hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
    except OSError:
        return None
    settled = time.time_ns() - stat.st_mtime_ns > _RACY_NS
    return _FileState(stat.st_mtime_ns, stat.st_size, digest, settled)


def _digest(state: _FileState | None) -> bytes | None:
    return state.digest if state else None
