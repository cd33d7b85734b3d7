"""One question to one process: connect, send a GET, read how its answer begins. Never blocks."""

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Any

from deploy.listeners.health_rules import Target

_HTTP = re.compile(rb"HTTP/1\.[01] \d{3}")
_HTTP_BYTES = 12
_GREETING = b"INFO "
_READ_BYTES = 4096
# What a process does that is not there or ends the connection. Other errors (no free port, no route, too many files)
# are of this machine, and say nothing about it.
_ITS_FAULTS = (ConnectionError, TimeoutError)


class Verdict(Enum):
    """What became of a question. UNKNOWN: it could not be asked properly, so it says nothing about the process."""

    ANSWERED = "answered"
    SILENT = "silent"
    UNKNOWN = "unknown"


class Question:
    """A dispatcher of supervisord's socket map. `asked` and `deadline` are monotonic seconds.

    supervisord's loop calls it again after it is over, in the same round; it then does nothing. Its socket is closed
    by `withdraw` only, between rounds, so that its number cannot belong to somebody else while the loop still has it.
    """

    def __init__(self, target: Target, asked: float, timeout: float) -> None:
        """Begin to connect. Raises OSError when this process has no socket left."""
        self.asked, self.deadline = asked, asked + timeout
        self._verdict: Verdict | None = None
        self._unsent = b"" if target.path is None else _request(target)
        self._is_http = target.path is not None
        self._received = b""
        self._socket = socket.socket(socket.AF_INET6 if ":" in target.host else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._connect(target)

    def verdict(self, now: float) -> Verdict | None:
        """What became of it; None while it is open. After the deadline it looks once more, then it is over."""
        if self._verdict is None and now >= self.deadline:
            self._expire()
        return self._verdict

    def withdraw(self, socket_map: dict[int, object], poller: Any) -> None:
        """Let go of the connection, and have supervisord forget it. `poller` is supervisor's, which has no types."""
        if self._verdict is None:
            self._verdict = Verdict.UNKNOWN
        number = self._socket.fileno()
        if number < 0:
            return
        if socket_map.get(number) is self:
            del socket_map[number]
        if number in poller.readables:
            with suppress(OSError, KeyError):
                poller.unregister_readable(number)
        if number in poller.writables:
            with suppress(OSError, KeyError):
                poller.unregister_writable(number)
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def readable(self) -> bool:
        return self._verdict is None

    def writable(self) -> bool:
        return self._verdict is None and bool(self._unsent)

    def handle_write_event(self) -> None:
        """It is connected, or was refused."""
        if self.writable():
            self._attempt(self._send)

    def handle_read_event(self) -> None:
        """Something came, or it ended; a refused connection counts as readable as well."""
        if self.readable():
            self._attempt(self._receive)

    def handle_error(self) -> None:
        """supervisord calls this for any error of the above, and when it forgets what it had forgotten already."""
        self._verdict = self._verdict or Verdict.UNKNOWN

    def _connect(self, target: Target) -> None:
        self._attempt(lambda: self._socket.connect((target.host, target.port)))

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (BlockingIOError, InterruptedError):
            return
        except _ITS_FAULTS:
            self._verdict = Verdict.SILENT
        except OSError:
            self._verdict = Verdict.UNKNOWN

    def _send(self) -> None:
        if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, "")
        self._unsent = self._unsent[self._socket.send(self._unsent) :]

    def _receive(self) -> None:
        chunk = self._socket.recv(_READ_BYTES)
        self._received += chunk
        if len(self._received) >= (_HTTP_BYTES if self._is_http else len(_GREETING)):
            self._verdict = Verdict.ANSWERED if self._is_right() else Verdict.SILENT
        elif not chunk:
            self._verdict = Verdict.SILENT

    def _is_right(self) -> bool:
        if self._is_http:
            return _HTTP.match(self._received) is not None
        return self._received.startswith(_GREETING)

    def _expire(self) -> None:
        """An answer may be there that the loop had no time to read; and a question that was not put is none."""
        if self._is_connected():
            self._attempt(self._receive if not self._unsent else self._give_up)
        self._verdict = self._verdict or Verdict.SILENT

    def _give_up(self) -> None:
        self._verdict = Verdict.UNKNOWN

    def _is_connected(self) -> bool:
        try:
            self._socket.getpeername()
        except OSError:
            return False
        return True


def _request(target: Target) -> bytes:
    lines = (f"GET {target.path} HTTP/1.1", f"Host: {target.address}", "User-Agent: supervisord", "Connection: close")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()
