"""Wakes the parent when something below a folder was written. What, and whether it matters, the snapshot says."""

import logging
import sys
import time
from collections.abc import Generator
from pathlib import Path
from threading import Event

logger = logging.getLogger(__name__)

# An edit is passed on once nothing was written for a step; an editor's several writes of one file are one edit.
_STEP_MS = 10
_DEBOUNCE_MS = 100
_TIMEOUT_MS = 100
_POLL_S = 0.2
# Not every file system tells of every write; a look at all files takes some milliseconds.
_LOOK_ANYHOW_S = 10.0


class Watcher:
    """Waits for writes below a folder. Closed before every fork, for its native thread would not survive it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._wake = Event()
        self._changes: Generator[object, None, None] | None = None
        # On macOS the library's FSEvents thread makes a later fork unsafe, so it is not even loaded there.
        self._polls = sys.platform == "darwin"
        self._looked_at = 0.0

    def wake(self) -> None:
        """End the present or the next `wait`. Safe in a signal handler."""
        self._wake.set()

    def wait(self) -> bool:
        """Wait for a write, a wake-up or a tenth of a second. True: look, for something may have been written.

        Writes made while this was closed are not noticed, hence True from the first call after that.
        """
        if not self._polls:
            try:
                return self._wait_for_changes()
            except OSError as error:
                logger.warning("watching by polling, as the system cannot notify: %s", error)
                self._changes, self._polls = None, True
        self._wake.wait(_POLL_S)
        self._wake.clear()
        return True

    def close(self) -> None:
        """Stop noticing, and end the native thread."""
        if self._changes:
            self._changes.close()
            self._changes = None

    def _wait_for_changes(self) -> bool:
        opened = self._changes is None
        self._changes = self._changes or self._watch()
        changes = next(self._changes, None)
        if changes is None:
            self._wake.clear()
            self.close()
        return self._is_to_look(told=opened or bool(changes))

    def _is_to_look(self, *, told: bool) -> bool:
        """Whenever there was something to see, and every so often where nothing was."""
        now = time.monotonic()
        if not told and now - self._looked_at < _LOOK_ANYHOW_S:
            return False
        self._looked_at = now
        return True

    def _watch(self) -> Generator[object, None, None]:
        # Here and not above: not on macOS, and not in a process that does not watch.
        from watchfiles import watch

        return watch(
            self._root,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_TIMEOUT_MS,
            yield_on_timeout=True,
            stop_event=self._wake,
            raise_interrupt=False,
        )
