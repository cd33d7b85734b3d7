"""What the writer tells the other instances."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from trading_api.shared.bus import Bus, BusError

logger = logging.getLogger(__name__)

_MOST = 4096
_BUSY = 32
_LAST_WORDS_S = 0.2


class Announcer:
    """Publishes in order, from a task of its own, so that no commit waits for the bus.

    What the bus does not take, or what comes too quickly for it, is dropped: everything durable stands in the log.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        # The oldest go first.
        self._waiting: deque[tuple[str, Callable[[], bytes]]] = deque(maxlen=_MOST)
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether so much waits that each message should be small."""
        return len(self._waiting) > _BUSY

    def say(self, subject: str, write: Callable[[], bytes]) -> None:
        """Publish what `write` makes, later. Does not wait."""
        self._waiting.append((subject, write))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="broker announcements")

    async def stop(self) -> None:
        """Say what waits, for a moment at most, and nothing more."""
        task = self._task
        if task is None:
            return
        await asyncio.wait({task}, timeout=_LAST_WORDS_S)
        task.cancel()
        await asyncio.wait({task})

    async def _run(self) -> None:
        while self._waiting:
            subject, write = self._waiting.popleft()
            if not self._bus.connected:
                continue
            try:
                await self._bus.publish(subject, write())
            except BusError as error:
                logger.debug("not announced on %s: %s", subject, error)
