"""Merges the per-process logs into `backend-unified.log`, as a process of the tree.

`python -m deploy.runtime.logs.follower --logs DIR --state FILE --max-bytes N --backups N [--socket PATH]`

With `--socket` it also keeps nginx's own logs bounded, with `--no-unified` it does only that. SIGTERM: read everything
to the end once more, exit 0.
"""

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from deploy.errors import DeployError
from deploy.runtime.logs.merger import Merger
from deploy.runtime.logs.nginx_rotation import NginxRotation
from deploy.runtime.logs.sources import UNIFIED
from deploy.runtime.logs.unified import AlreadyFollowedError, UnifiedLock

T = TypeVar("T")

POLL_SECONDS = 0.1
IDLE_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_LOCK_SECONDS = 2.0
_FINISH_SECONDS = 2.0
_NOT_RUNNING = 70  # supervisor.xmlrpc.Faults.NOT_RUNNING: nginx opens its logs when it starts
_BAD_NAME = 10  # supervisor.xmlrpc.Faults.BAD_NAME: this tree has no nginx


class Reporter:
    """Writes each state of affairs once: a full disk gives one line, not one every second."""

    def __init__(self) -> None:
        self._last = ""

    def failed(self, error: Exception) -> None:
        """Report `error`, unless it is what was reported last."""
        text = str(error)
        if text != self._last:
            self._last = text
            _say("ERROR", f"{text}; the per-process logs keep every line, trying again")

    def worked(self) -> None:
        """Report that all is well again, if it was not."""
        if self._last:
            self._last = ""
            _say("INFO", "following again")


def _say(level: str, text: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        os.write(2, f"[{stamp}] [{level}] deploy.logs: {text}\n".encode())
    except OSError:
        # supervisord, which read this pipe, is gone. The logs are still worth merging.
        return


class Wakeup:
    """Waits that a stop signal cuts short."""

    def __init__(self) -> None:
        self.stopping = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or at once when a stop was asked for."""
        if not self.stopping:
            select.select([self._read], [], [], seconds)

    def _stop(self, *_: object) -> None:
        self.stopping = True


def run(merger: Merger | None, nginx: NginxRotation | None, wakeup: Wakeup) -> None:
    """Follow until a stop is asked for, then read everything to the end. Raises OSError only from that last reading.

    Without a merger only nginx's logs are looked after.
    """
    merging, rotating = Reporter(), Reporter()
    while not wakeup.stopping:
        pause = IDLE_SECONDS if merger is None else _round(merger, merging)
        if nginx is not None:
            _rotate(nginx, rotating)
        if pause:
            wakeup.wait(pause)
    if merger is not None:
        merger.finish(time.monotonic() + _FINISH_SECONDS)


def _round(merger: Merger, reporter: Reporter) -> float:
    """One step; the seconds to wait before the next."""
    try:
        found = merger.step()
    except OSError as error:
        reporter.failed(error)
        return _recover(merger, reporter)
    if merger.unreadable is not None:
        reporter.failed(merger.unreadable)
    else:
        reporter.worked()
    return 0.0 if found else POLL_SECONDS


def _recover(merger: Merger, reporter: Reporter) -> float:
    try:
        merger.recover()
    except OSError as error:
        reporter.failed(error)
    return _RETRY_SECONDS


def _rotate(nginx: NginxRotation, reporter: Reporter) -> None:
    try:
        nginx.check()
    except (OSError, DeployError) as error:
        reporter.failed(error)
    else:
        reporter.worked()


def reopener(socket_path: Path, process: str) -> Callable[[], None]:
    """Makes nginx reopen its logs, through the supervisord behind `socket_path`: it alone knows the right pid."""

    def reopen() -> None:
        # Here and not above: it needs sockets, which a follower without a rotation never does.
        from deploy.runtime.logs.supervisor_call import SupervisorCallError, signal_process

        try:
            signal_process(socket_path, process, "USR1")
        except SupervisorCallError as error:
            if error.fault not in (_NOT_RUNNING, _BAD_NAME):
                raise

    return reopen


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy.runtime.logs.follower", description="Merge the logs of the tree.")
    parser.add_argument("--logs", type=Path, required=True, metavar="DIR", help="folder of the per-process logs")
    parser.add_argument("--state", type=Path, required=True, metavar="FILE", help="where the read positions are kept")
    parser.add_argument("--max-bytes", type=int, required=True, metavar="N", help="rotate at this size; 0: never")
    parser.add_argument("--backups", type=int, required=True, metavar="N", help="rotated files to keep")
    parser.add_argument("--socket", type=Path, metavar="PATH", help="supervisord's socket; with it nginx's logs rotate")
    parser.add_argument("--no-unified", action="store_true", help="merge nothing: only nginx's logs are looked after")
    parser.add_argument("--nginx", default="nginx", metavar="NAME", help="nginx's name in the tree (default: nginx)")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run until SIGTERM or SIGINT. Exit code 0, or 1 with a message when another follower is at work."""
    options = _arguments(argv)
    wakeup = Wakeup()
    try:
        _follow(options, wakeup)
    except (AlreadyFollowedError, OSError) as error:
        print(f"deploy.runtime.logs.follower: {error}", file=sys.stderr)
        return 1
    return 0


def _follow(options: argparse.Namespace, wakeup: Wakeup) -> None:
    def open_lock() -> UnifiedLock:
        options.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return UnifiedLock(options.logs / UNIFIED)

    lock = _eventually(open_lock, wakeup)
    if lock is None:
        return
    try:
        if _acquire(lock, wakeup):
            _merge(options, wakeup)
    finally:
        lock.close()


def _merge(options: argparse.Namespace, wakeup: Wakeup) -> None:
    nginx = _rotation(options)
    if options.no_unified:
        run(None, nginx, wakeup)
        return
    merger = _eventually(lambda: Merger(options.logs, options.state, options.max_bytes, options.backups), wakeup)
    if merger is None:
        return
    try:
        run(merger, nginx, wakeup)
    finally:
        merger.close()


def _rotation(options: argparse.Namespace) -> NginxRotation | None:
    if options.socket is None:
        return None
    return NginxRotation(options.logs, options.max_bytes, options.backups, reopener(options.socket, options.nginx))


def _eventually(make: Callable[[], T], wakeup: Wakeup) -> T | None:
    """What `make` makes, tried again while the disk will not have it; None when asked to stop first.

    Ending instead would have supervisord start us again at once, and give up.
    """
    reporter = Reporter()
    while not wakeup.stopping:
        try:
            return make()
        except OSError as error:
            reporter.failed(error)
            wakeup.wait(_RETRY_SECONDS)
    return None


def _acquire(lock: UnifiedLock, wakeup: Wakeup) -> bool:
    """Wait a little for a predecessor that is about to end. Raises AlreadyFollowedError; False when asked to stop."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while not lock.acquire():
        if wakeup.stopping:
            return False
        if time.monotonic() > deadline:
            raise lock.held()
        wakeup.wait(POLL_SECONDS)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
