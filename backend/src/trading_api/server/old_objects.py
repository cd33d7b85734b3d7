"""Spares Python's collector what has lived long: to look at ten thousand orders takes it a tenth of a second.

All requests wait meanwhile, and it does so again whenever a quarter more has come to live long.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping

_OLDEST = 2
"""The generation whose collection looks at everything."""
LONG_S = 0.05
WHOLE_EVERY_S = 600.0


class OldObjects:
    """Set apart whatever survived a collection that took long, and looked at again every ten minutes only.

    What is set apart and not needed any more goes as soon as nothing refers to it, as always. Only what refers to
    itself waits for the next look at everything. A callback of `gc.callbacks`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        freeze: Callable[[], None] = gc.freeze,
        unfreeze: Callable[[], None] = gc.unfreeze,
    ) -> None:
        """`clock` tells monotonic seconds."""
        self._clock = clock
        self._freeze, self._unfreeze = freeze, unfreeze
        self._began = self._whole_at = clock()
        self._set_apart = self._looks_at_all = False

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """A collection starts or stops, as gc tells it."""
        if info["generation"] != _OLDEST:
            return
        if phase == "start":
            self._began = self._clock()
        else:
            self._ended(self._clock())

    def _ended(self, now: float) -> None:
        if self._looks_at_all or now - self._began > LONG_S:
            self._freeze()
            self._set_apart, self._looks_at_all = True, False
        elif self._set_apart and now - self._whole_at > WHOLE_EVERY_S:
            self._unfreeze()
            self._whole_at, self._looks_at_all = now, True


def spare_old_objects() -> None:
    """From now on, in this process; a second time does nothing."""
    if not any(isinstance(callback, OldObjects) for callback in gc.callbacks):
        gc.callbacks.append(OldObjects())
