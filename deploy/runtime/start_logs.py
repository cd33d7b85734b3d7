"""The logs of processes from a moment on: what they wrote in this start, and not in healthy days before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.listeners.reason import last_reason, tail_text
from deploy.plan import Plan, Process

# Which file it was (device, inode), and how many bytes it had.
_Mark = tuple[int, int, int]


@dataclass(frozen=True)
class StartLogs:
    """`folder` holds the logs; `marks` is how far each was written. Without a mark, a log is told whole."""

    folder: Path
    marks: Mapping[str, _Mark] = field(default_factory=dict)

    @classmethod
    def from_now(cls, plan: Plan) -> "StartLogs":
        """Of every process of `plan`, what it writes from now on."""
        folder = plan.layout.logs
        found = {process.name: _mark(_path(folder, process)) for process in plan.processes}
        return cls(folder, {name: mark for name, mark in found.items() if mark is not None})

    def path(self, process: Process) -> Path:
        """The log of `process`."""
        return _path(self.folder, process)

    def lines(self, process: Process, count: int) -> tuple[str, ...]:
        """The last `count` lines."""
        return tuple(tail_text(self.path(process), self._since(process)).splitlines()[-count:])

    def reason(self, process: Process) -> str:
        """Why it died, in one line; empty when it has said nothing."""
        return last_reason(self.path(process), self._since(process))

    def _since(self, process: Process) -> int:
        before, now = self.marks.get(process.name), _mark(self.path(process))
        # Rotated, or emptied: what stands there now is new.
        is_same = before is not None and now is not None and before[:2] == now[:2] and before[2] <= now[2]
        return before[2] if before is not None and is_same else 0


def _path(folder: Path, process: Process) -> Path:
    return folder / f"{process.name}.log"


def _mark(log: Path) -> _Mark | None:
    try:
        status = log.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size
