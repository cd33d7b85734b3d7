"""Keeps the two logs that nginx writes itself bounded: nginx appends to them for ever unless told to reopen."""

import time
from collections.abc import Callable
from pathlib import Path

from deploy.runtime.logs.chain import backup, rotate
from deploy.runtime.logs.sources import NGINX

_CHECK_SECONDS = 1.0
_RETRY_SECONDS = 10.0


class NginxRotation:
    """Rotates nginx's logs over `max_bytes` and calls `reopen`, which makes nginx open its files anew.

    Until nginx has done so it goes on writing to the renamed file: no line is lost, and the file is not rotated a
    second time. `reopen` raises DeployError or OSError when it fails; it is then tried again every 10 s.
    """

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        backups: int,
        reopen: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = [directory / name for name in NGINX]
        self._max_bytes = max_bytes
        self._backups = backups
        self._reopen = reopen
        self._clock = clock
        self._next = 0.0
        # A follower that died between renaming and reopening left only the backup behind.
        self._unopened = any(not path.exists() and Path(backup(path, 1)).exists() for path in self._paths)

    def check(self) -> None:
        """Rotate and reopen where it is due. Raises what `reopen` raises, and OSError from renaming."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + _CHECK_SECONDS
        for path in self._paths:
            if self._is_full(path):
                rotate(path, self._backups)
                self._unopened = self._unopened or self._backups > 0
        if self._unopened:
            # Set first, so that a failure is not repeated at once.
            self._next = self._clock() + _RETRY_SECONDS
            self._reopen()
            self._unopened = False
            self._next = self._clock() + _CHECK_SECONDS

    def _is_full(self, path: Path) -> bool:
        try:
            return 0 < self._max_bytes <= path.stat().st_size
        except FileNotFoundError:
            return False
