"""Log lines that would come with every request while something is wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY_S = 10.0
_MOST = 100


class Seldom:
    """Warns with the same words once in 10 s at most. `clock` tells monotonic seconds."""

    def __init__(self, logger: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._said: dict[str, float] = {}

    def warn(self, words: str) -> None:
        """Log the words, unless they were logged just now."""
        now = self._clock()
        if now - self._said.get(words, -EVERY_S) < EVERY_S:
            return
        if len(self._said) >= _MOST:
            self._said = {each: at for each, at in self._said.items() if now - at < EVERY_S}
        self._said[words] = now
        self._logger.warning("%s", words)
