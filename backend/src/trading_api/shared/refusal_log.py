"""Refusals in the log: none of them is worth a line for every request that it meets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger(__name__)

EVERY_S = 60.0
MOST_KINDS = 32
"""Different refusals that are told in EVERY_S; what is beyond them is logged at debug only."""


@dataclass(slots=True)
class _Told:
    at: float
    """Seconds, of a clock that never goes back."""
    missed: int = 0


class RefusalLog:
    """Tells a refusal when it first comes, and then at most once in EVERY_S, with how many there were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds; tests bring their own."""
        self._clock = clock
        self._told: dict[str, _Told] = {}

    def tell(self, refusal: str, why: str = "") -> None:
        """`refusal` is what clients are told, `why` what only the log may say."""
        line = f"{refusal} ({why})" if why and why not in refusal else refusal
        now = self._clock()
        told = self._told.get(refusal)
        if told is not None and now - told.at < EVERY_S:
            told.missed += 1
            logger.debug("%s", line)
        elif told is not None or self._has_room(now):
            missed = told.missed if told else 0
            self._told[refusal] = _Told(now)
            logger.warning("%s%s", line, f"; and {missed} times more since it was last told" if missed else "")
        else:
            logger.debug("%s", line)

    def _has_room(self, now: float) -> bool:
        """For one more kind of refusal; those that are over make room."""
        if len(self._told) >= MOST_KINDS:
            self._told = {refusal: told for refusal, told in self._told.items() if now - told.at < EVERY_S}
        return len(self._told) < MOST_KINDS
