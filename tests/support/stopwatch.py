"""How long something took, without the time in which the machine let it wait for a core.

A bound on real time says nothing where other tests take the cores; what the kernel counts as waiting in the run queue
(`/proc/PID/task/*/schedstat`, its second number, nanoseconds) is not the measured process's doing.
"""

import os
import time
from contextlib import suppress
from pathlib import Path


class Stopwatch:
    """Begins at once. `since` is a moment on the monotonic clock, where that was a little earlier."""

    def __init__(self, *pids: int, since: float | None = None) -> None:
        """`pids`: the processes whose work is timed; this one, where none is given."""
        self._pids = pids or (os.getpid(),)
        self._begun = time.monotonic() if since is None else since
        self._waited = self._waiting()

    @property
    def seconds(self) -> float:
        """Until now."""
        return self.until(time.monotonic())

    def until(self, moment: float) -> float:
        """Seconds until `moment`, on the monotonic clock, which has just passed."""
        return moment - self._begun - (self._waiting() - self._waited)

    def _waiting(self) -> float:
        return sum(_waited_s(pid) for pid in self._pids)


def _waited_s(pid: int) -> float:
    """Seconds that the threads of a process have waited for a core; 0 where nobody counts them."""
    nanoseconds = 0
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, IndexError, ValueError):
            nanoseconds += int(file.read_text().split()[1])
    return nanoseconds / 1e9
