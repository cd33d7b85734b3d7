"""Merges the per-process logs of a folder into its unified file, every line exactly once."""

import time
from dataclasses import replace
from pathlib import Path

from deploy.runtime.logs import positions
from deploy.runtime.logs.sources import UNIFIED, name_of, process_logs
from deploy.runtime.logs.tail import FileTail
from deploy.runtime.logs.unified import UnifiedLog

NAME_WIDTH = 20
_MAX_BATCH = 256 * 1024
_MIN_BATCH = 4 * 1024
_SETTLED_NS = 2_000_000_000


def prefix_of(name: str) -> bytes:
    """What stands before each line of the process `name`: the name padded to 20 columns, and ` >> ` (row P13)."""
    return f"{name.ljust(NAME_WIDTH)} >> ".encode()


def prefixed(block: bytes, prefix: bytes) -> bytes:
    """`block`, complete lines of any bytes, with `prefix` before each line, as valid UTF-8."""
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        block = block.decode("utf-8", "replace").encode("utf-8")
    return prefix + block[:-1].replace(b"\n", b"\n" + prefix) + b"\n"


class Merger:
    """Reads the logs of `directory` in rounds. The caller holds the lock of the unified file.

    A commit writes the read positions together with the size of the unified file to `state`. What was written after
    the last commit is cut away and done again, so that neither an error nor a `kill -9` loses or repeats a line.
    Without a usable state every log is read from its first backup on.
    """

    def __init__(self, directory: Path, state: Path, max_bytes: int, backups: int) -> None:
        self._directory = directory
        self._state = state
        self._batch = max(_MIN_BATCH, min(_MAX_BATCH, max_bytes // 8 or _MAX_BATCH))
        self._unified = UnifiedLog(directory / UNIFIED, max_bytes, backups)
        self._tails: dict[str, FileTail] = {}
        self._listed = -1
        self._uncommitted = 0
        self._committed = self._load()
        self._saved = False
        self._failed = False
        self.unreadable: OSError | None = None
        self._restore_tails()

    def step(self) -> bool:
        """One round over all logs: whether there was anything to read.

        A log that cannot be read is left out; `unreadable` then holds the last such error. Raises OSError when
        something cannot be written; after `recover` a later step loses and repeats nothing.
        """
        if self._failed:
            self.recover()
        if not self._saved:
            self._save()
        self._find_new()
        self.unreadable = None
        found = False
        for name, tail in self._tails.items():
            block = self._read(tail)
            if block:
                found = True
                self._write(name, block)
        self._commit()
        return found

    def finish(self, deadline: float) -> None:
        """Read to the end (or to `deadline`, monotonic seconds), unfinished last lines included. Raises OSError."""
        while self.step() and time.monotonic() < deadline:
            continue
        for name, tail in self._tails.items():
            if line := tail.flush():
                self._write(name, line)
        self._commit()

    def recover(self) -> None:
        """After an OSError: back to the last commit, in the unified file and in every log. Raises OSError."""
        self._failed = True
        self._uncommitted = 0
        self._listed = -1
        self._close_tails()
        self._restore_tails()
        if self._committed.unified is not None:
            self._unified.roll_back(self._committed.unified)
        self._failed = False

    def close(self) -> None:
        """Close every file."""
        self._close_tails()
        self._unified.close()

    def _load(self) -> positions.State:
        state = positions.load(self._state) or positions.State()
        try:
            if state.unified is not None:
                self._unified.roll_back(state.unified)
            return replace(state, unified=self._unified.mark())
        except OSError:
            self._unified.close()
            raise

    def _read(self, tail: FileTail) -> bytes:
        try:
            return tail.read(self._batch)
        except OSError as error:
            self.unreadable = error
            return b""

    def _write(self, name: str, block: bytes) -> None:
        self._unified.append(prefixed(block, prefix_of(name_of(Path(name)))))
        self._uncommitted += len(block)
        if self._uncommitted >= self._batch:
            self._commit()

    def _commit(self) -> None:
        if not self._uncommitted:
            return
        self._save_reached()
        self._uncommitted = 0
        if self._unified.full:
            self._unified.rotate()
            # Into the new file nothing is written before the state knows it, even if saving fails here.
            self._saved = False
            self._committed = replace(self._committed, unified=self._unified.mark())
            self._save()

    def _save_reached(self) -> None:
        reached = {name: tail.position for name, tail in self._tails.items() if tail.position is not None}
        state = positions.State(reached, self._unified.mark())
        positions.save(self._state, state)
        self._committed = state

    def _save(self) -> None:
        positions.save(self._state, self._committed)
        self._saved = True

    def _find_new(self) -> None:
        """Pick up logs that appeared. The folder is listed only when something in it came, went or was renamed."""
        changed = self._directory.stat().st_mtime_ns
        if changed == self._listed:
            return
        for path in process_logs(self._directory):
            if path.name not in self._tails:
                self._tails[path.name] = FileTail(path)
        # Two changes within one tick of the file system's clock look like one: a fresh time stamp proves nothing yet.
        self._listed = changed if time.time_ns() - changed > _SETTLED_NS else -1

    def _restore_tails(self) -> None:
        for name, position in self._committed.positions.items():
            if name == Path(name).name:
                self._tails[name] = FileTail(self._directory / name, position)

    def _close_tails(self) -> None:
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()
