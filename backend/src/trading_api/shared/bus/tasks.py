"""Ending what handlers do."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

logger = logging.getLogger(__name__)

# Seconds a cancelled call has for its end.
_GRACE_S = 5.0


class Listener(Protocol):
    """What calls a handler: a `Delivery`, or an `Answering`."""

    def end(self) -> list[asyncio.Task[None]]:
        """Begin no further call. Returns the calls under way."""
        ...

    async def farewell(self) -> None:
        """Tell whoever still waits, now that every call has ended."""
        ...


async def stop(listeners: Sequence[Listener]) -> None:
    """End them all: no call under way is left, but for the one that asks for it, which ends by itself."""
    calls = [task for listener in listeners for task in listener.end()]
    others = [task for task in calls if task is not asyncio.current_task() and not task.done()]
    for task in others:
        task.cancel()
    if others:
        _, still = await asyncio.wait(others, timeout=_GRACE_S)
        if still:
            logger.error("%d cancelled calls go on after %.0f s", len(still), _GRACE_S)
    for listener in listeners:
        await listener.farewell()


def is_being_cancelled() -> bool:
    """Whether somebody cancels the current task (a CancelledError may also come from what it waited for)."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
