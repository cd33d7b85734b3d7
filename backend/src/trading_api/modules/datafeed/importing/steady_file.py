"""A file that must not change while it is read."""

from __future__ import annotations

import os
from io import BufferedReader
from pathlib import Path

from trading_api.modules.datafeed.importing.problems import FileError


class SteadyFile:
    """Opens a file and can say afterwards whether somebody wrote to it meanwhile.

    One that is replaced by a new file of its name does no harm: the old one is read to its end.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self.file: BufferedReader = path.open("rb")
        self._before = self._state()
        self.size = self._before[0]

    def start(self, size: int) -> bytes:
        """Up to so many of its first bytes, which are read again afterwards."""
        return self.file.peek(size)[:size]

    def close(self) -> None:
        self.file.close()

    def check(self) -> None:
        """Raises FileError when the file is not as it was when it was opened."""
        if self._state() != self._before:
            raise FileError("the file changed while it was read; import it when it is complete")

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self.file.fileno())
        return status.st_size, status.st_mtime_ns
