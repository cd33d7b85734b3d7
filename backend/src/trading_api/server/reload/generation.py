"""A generation: one forked process that serves the source as it was when it started."""

import logging
import math
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from trading_api.server.options import ServeOptions
from trading_api.server.process import leave
from trading_api.server.reload.fresh_import import install_fresh_import
from trading_api.server.reload.preload import forget_own_modules
from trading_api.server.reload.report import MAX_TRACEBACK, Failed, Ready, Report, parse_report, send_report
from trading_api.shared.errors import describe, place_of
from trading_api.shared.registry import PACKAGE_FOLDER, ROOT_PACKAGE

logger = logging.getLogger(__name__)

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
WORKER = f"{ROOT_PACKAGE}.server.reload.worker"


@dataclass(slots=True)
class Generation:
    """The parent's view of a child. Times are those of the monotonic clock, in seconds."""

    pid: int
    pipe: int
    started: float = field(default_factory=time.monotonic)
    exit_code: int | None = None
    deadline: float = math.inf
    _received: bytes = b""

    def poll_report(self, seconds: float) -> Report | None:
        """The child's report, once it is whole; None if it is not there after `seconds`."""
        while select.select([self.pipe], [], [], seconds)[0]:
            chunk = os.read(self.pipe, 65536)
            if not chunk:
                return self._report()
            self._received += chunk
        return None

    def is_alive(self) -> bool:
        """Whether the child still runs; sets `exit_code` (negative: the signal) when it does not."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is None

    def retire(self, grace_s: float) -> None:
        """Ask the child to end within so many seconds."""
        self.deadline = time.monotonic() + grace_s
        self.send(signal.SIGTERM)

    def is_overdue(self) -> bool:
        """Whether the child should have ended by now."""
        return time.monotonic() > self.deadline

    def send(self, number: signal.Signals) -> None:
        """Send the child a signal, if it is there."""
        if self.is_alive():
            os.kill(self.pid, number)

    def close(self) -> None:
        """Let go of the pipe."""
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1

    def _report(self) -> Report:
        try:
            return parse_report(self._received)
        except ValueError:
            return Failed("the server process died before it could serve", "")


def fork_generation(bound: socket.socket, options: ServeOptions, alive: tuple[int, int]) -> Generation:
    """Fork a child that serves on `bound`. Of the pipe `alive`, only the parent holds the write end, while it lives."""
    pipe, child_pipe = os.pipe()
    # A signal between the fork and the child's own handlers would go to a copy of the parent's, and be lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    pid = os.fork()
    if pid == 0:
        os.close(pipe)
        _be_child(bound, options, alive, child_pipe)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    os.close(child_pipe)
    return Generation(pid, pipe)


def _be_child(bound: socket.socket, options: ServeOptions, alive: tuple[int, int], pipe: int) -> NoReturn:
    """The child's whole life. Runs code of the parent's age, and from `_serve` on that of today."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # Ctrl-C reaches the parent too, which then says SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        os.close(alive[1])
        threading.Thread(target=_die_with_parent, args=(alive[0],), daemon=True).start()
        code = _serve(bound, options, pipe)
    finally:
        leave(code)


def _die_with_parent(alive: int) -> None:
    """End this process at once when the parent is gone, however it went: the address must be free for the next one."""
    os.read(alive, 1)
    os._exit(1)


def _serve(bound: socket.socket, options: ServeOptions, pipe: int) -> int:
    """Import the source as it is now and serve it. Tells the parent when it serves, or why it does not."""
    reported = False

    def on_ready() -> None:
        nonlocal reported
        reported = True
        send_report(pipe, Ready(_loaded_files()))

    forget_own_modules()
    install_fresh_import(ROOT_PACKAGE)
    try:
        import_module(WORKER).serve_generation(bound, asdict(options), on_ready)
    except BaseException as error:  # The boundary of the process: whatever ends it is told to somebody.
        if reported:
            logger.exception("the server failed")
        else:
            send_report(pipe, failure_of(error))
        return 1
    return 0


def failure_of(error: BaseException) -> Failed:
    """What the parent is told of `error`: a traceback only where code of a module, or a mistake of ours, raised it."""
    # A ModuleError names its place itself. It is known by that, for its class is of another age than this code.
    if not hasattr(error, "place"):
        return Failed(f"{place_of(error, PACKAGE_FOLDER)}: {describe(error)}", _traceback_of(error))
    return Failed(_in_one_line(str(error)), "" if _says_all(error) else _traceback_of(error.__cause__ or error))


def _says_all(error: BaseException) -> bool:
    """Whether a ModuleError is about what stands in a file (`problems`: in a declaration), not about code that ran.

    A traceback would then show nothing but how this package found out.
    """
    return hasattr(error, "problems") or error.__cause__ is None


def _in_one_line(text: str) -> str:
    """`text`, whose first line announces the others, as one line of the log."""
    head, *rest = text.splitlines()
    return f"{head} {'; '.join(rest)}" if rest else head


def _traceback_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-MAX_TRACEBACK:]


def _loaded_files() -> tuple[str, ...]:
    files = (getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(ROOT_PACKAGE))
    return tuple(sorted(str(Path(file).relative_to(PACKAGE_FOLDER)) for file in files if file))
