"""The parent in watch mode: holds the address, and keeps one generation of the source serving on it."""

import gc
import logging
import os
import signal
import socket
import time
from pathlib import PurePath
from types import FrameType

from trading_api.server.options import ServeOptions
from trading_api.server.reload.generation import Generation, fork_generation
from trading_api.server.reload.preload import preload
from trading_api.server.reload.report import Failed, Ready
from trading_api.server.reload.scope import SKIPPED_FOLDERS, Scope, is_source, models_among
from trading_api.server.reload.snapshot import Snapshot
from trading_api.server.reload.watcher import Watcher
from trading_api.settings import CORE_MODULE, Settings
from trading_api.shared.logging import log_traceback
from trading_api.shared.registry import PACKAGE_FOLDER

logger = logging.getLogger("trading_api.server.reload")

_STARTING_POLL_S = 0.03
_STOP_POLL_S = 0.005


class Reloader:
    """Serves until SIGTERM, replacing the serving generation after each edit once the next one is ready.

    The address stays open throughout, so no connection is refused. At most one generation serves (`_serving`) and
    one starts (`_starting`); those that were replaced finish their requests (`_retired`).
    """

    def __init__(self, bound: socket.socket, settings: Settings, options: ServeOptions) -> None:
        self._bound = bound
        self._options = options
        self._modules = _watched_modules(settings)
        self._scope = Scope(self._modules)
        self._snapshot = Snapshot(PACKAGE_FOLDER, is_source, SKIPPED_FOLDERS)
        self._watcher = Watcher(PACKAGE_FOLDER)
        self._alive = os.pipe()
        self._serving: Generation | None = None
        self._starting: Generation | None = None
        self._retired: list[Generation] = []
        self._changed: frozenset[PurePath] = frozenset()
        self._stopping = False

    def run(self) -> int:
        """Watch and serve. Returns the exit code: 0 stopped as asked, 1 failed."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, self._on_signal)
        preload(self._modules)
        gc.freeze()
        self._start()
        healthy = True
        while healthy and not self._stopping:
            healthy = self._step()
        healthy = self._stop() and healthy
        logger.info("stopped")
        return 0 if healthy else 1

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = self._stopping or number != signal.SIGCHLD
        self._watcher.wake()

    def _step(self) -> bool:
        """One round, a tenth of a second at most. False when nothing serves any more."""
        self._retired = [generation for generation in self._retired if not _is_over(generation)]
        if self._serving and not self._serving.is_alive():
            logger.error("the server process ended by itself with %s", _ending(self._serving))
            return False
        if self._starting:
            return self._await(self._starting)
        if self._watcher.wait():
            self._changed = self._snapshot.update()
            self._start_if_changed()
        return True

    def _start(self) -> None:
        self._watcher.close()
        self._changed = frozenset()
        self._starting = fork_generation(self._bound, self._options, self._alive)

    def _start_if_changed(self) -> None:
        changed = sorted(str(path) for path in self._changed if self._scope.covers(path))
        if changed:
            logger.info("edited: %s", ", ".join(changed))
            self._start()

    def _await(self, starting: Generation) -> bool:
        """Look whether the generation is ready, has failed, or is out of date already. False when nothing serves."""
        report = starting.poll_report(_STARTING_POLL_S)
        self._changed |= self._snapshot.update()
        if isinstance(report, Ready):
            self._promote(starting, report)
        elif isinstance(report, Failed):
            return self._give_up(starting, report)
        elif any(self._scope.covers(path) for path in self._changed):
            self._retire(starting)
        else:
            return True
        self._starting = None
        self._start_if_changed()
        return True

    def _promote(self, ready: Generation, report: Ready) -> None:
        if self._serving:
            logger.info("reloaded in %.2f s", time.monotonic() - ready.started)
            self._retire(self._serving)
        self._serving = ready
        self._scope = Scope(self._modules, models_among(report.paths))

    def _give_up(self, failed: Generation, report: Failed) -> bool:
        """Log why; the previous generation, if there is one, goes on until an edit repairs it."""
        rest = "; the previous code still serves, and the next edit is tried" if self._serving else ""
        log_traceback(logger, f"{report.reason}{rest}", report.traceback)
        self._starting = None
        self._retire(failed)
        # What the broken code would have used is not known, and the repair may be there.
        self._scope = Scope(self._modules)
        if self._serving:
            self._start_if_changed()
        return self._serving is not None

    def _retire(self, generation: Generation) -> None:
        generation.retire(self._options.grace_s)
        self._retired.append(generation)

    def _stop(self) -> bool:
        """End all generations. False if one had to be killed."""
        self._watcher.close()
        for generation in (self._serving, self._starting):
            if generation:
                self._retire(generation)
        killed = False
        while self._retired:
            killed = killed or any(generation.is_overdue() for generation in self._retired)
            self._retired = [generation for generation in self._retired if not _is_over(generation)]
            time.sleep(_STOP_POLL_S)
        self._bound.close()
        return not killed


def _is_over(generation: Generation) -> bool:
    """Whether a retired generation has ended; kills it when its grace is over."""
    if generation.is_overdue():
        generation.send(signal.SIGKILL)
    if generation.is_alive():
        return False
    generation.close()
    return True


def _ending(generation: Generation) -> str:
    code = generation.exit_code or 0
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _watched_modules(settings: Settings) -> frozenset[str] | None:
    """The names of the modules this server holds, core included; None when it holds all, also those to come."""
    if not settings.enabled_modules:
        return None
    return frozenset({CORE_MODULE, *(choice.name for choice in settings.enabled_modules)})
