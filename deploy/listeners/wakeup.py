"""Ends supervisord's poll at once when a child dies.

supervisor 4.3 polls for up to a second and, since Python retries interrupted calls (PEP 475), SIGCHLD does not end the
poll: a death is seen up to a second late, once per group at shutdown. Python writes a byte to this pipe for
every signal.
"""

import os
import signal
from contextlib import suppress


class Wakeup:
    """A dispatcher of supervisord's socket map: always readable, reads and forgets."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def fileno(self) -> int:
        return self._read

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def poke(self) -> None:
        """End the next poll at once: there is something to do."""
        with suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def handle_read_event(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._read, 4096)

    def handle_error(self) -> None:
        """supervisord calls this for any error of the above; there is none to handle."""


_installed: list[Wakeup] = []


def install(socket_map: dict[int, object]) -> None:
    """Add the one Wakeup of this process to `socket_map` (`supervisorctl reload` builds interfaces anew)."""
    if not _installed:
        _installed.append(Wakeup())
    socket_map[_installed[0].fileno()] = _installed[0]


def poke() -> None:
    """End the next poll of this process at once, where a Wakeup is installed."""
    for wakeup in _installed:
        wakeup.poke()
