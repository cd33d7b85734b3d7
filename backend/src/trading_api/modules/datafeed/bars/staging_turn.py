"""Waiting for other writers of a store, in looks so short that an interruption is noticed between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

from trading_api.shared.store.errors import is_busy

_LOOK_SECONDS = 0.4
# What PostgreSQL says when lock_timeout has passed.
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Turn:
    """How long to wait for other writers; `waiting` is called after each look that found one."""

    seconds: float
    waiting: Callable[[], None] = lambda: None

    def take(self, attempt: Callable[[float], None]) -> None:
        """Call `attempt` with the seconds that it may wait, until it finds no other writer.

        Raises what the last attempt raised, and at once whatever has nothing to do with other writers.
        """
        deadline = time.monotonic() + self.seconds
        while True:
            left = deadline - time.monotonic()
            try:
                attempt(max(0.0, min(left, _LOOK_SECONDS)))
                return
            except OperationalError as error:
                if not _another_writes(error) or left <= _LOOK_SECONDS:
                    raise
            self.waiting()


def _another_writes(error: OperationalError) -> bool:
    original = error.orig
    return original is not None and (is_busy(original) or getattr(original, "sqlstate", None) == _LOCK_NOT_AVAILABLE)
