"""Whether a replay has anything to play: found out before a client asks, and said once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.shared.tasks import end_task

logger = logging.getLogger(__name__)

LOOK_S = 2.0
_MOST_NAMES = 5
_COMMAND = "python -m trading_api import FILE --symbol SYMBOL --resolution R"


def nothing_to_play(chosen: Sequence[str] = ()) -> str:
    """What clients are told; `chosen` are the symbols that are to be played, none where all are."""
    names = [*chosen[:_MOST_NAMES], *(["…"] if len(chosen) > _MOST_NAMES else [])]
    of = f" of {', '.join(names)}" if names else ""
    return f"The replay has no bars{of} to play; import some into its store: {_COMMAND}."


class PlayWatch:
    """Looks until there is something to play, in a thread. `problem` is for clients: empty from then on."""

    def __init__(
        self,
        look: Callable[[], str | None],
        missing: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`look` says where the replay stands, in words; None while there is nothing to play. It may raise StoreError.

        `missing` is what `problem` says meanwhile. `sleep` takes seconds; tests bring their own.
        """
        self.problem = ""
        self._look = look
        self._missing = missing
        self._sleep = sleep
        self._said = ""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look, and go on looking in a task of its own if that is of use."""
        if not await self._found():
            self._task = asyncio.create_task(self._run(), name="replay watch")

    async def stop(self) -> None:
        """End it; also without a start."""
        task, self._task = self._task, None
        await end_task(task)

    async def _run(self) -> None:
        while True:
            await self._sleep(LOOK_S)
            if await self._found():
                return

    async def _found(self) -> bool:
        try:
            stands = await asyncio.to_thread(self._look)
        except StoreError as error:
            # Whether there is anything nobody knows; what the store lacks is for others to tell.
            self._say("the replay begins when the store can be read", f": {error}")
            return False
        if stands is None:
            self.problem = self._missing
            self._say(self._missing)
            return False
        self.problem = ""
        logger.info("the replay %s", stands)
        return True

    def _say(self, what: str, why: str = "") -> None:
        """Not what was said last."""
        if what != self._said:
            logger.warning("%s%s", what, why)
        self._said = what
