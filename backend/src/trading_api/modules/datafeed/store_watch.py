"""Whether the store can be read, found out before a client does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from trading_api.modules.datafeed.bars.store import Store, StoreError
from trading_api.shared.tasks import end_task

logger = logging.getLogger(__name__)

LOOK_S = 2.0
# No symbol has this name; that there is nothing of it is all that is asked.
_ANY = "-"
UNREADABLE = "The bar store cannot be read at the moment."


class StoreWatch:
    """Looks into the store every so often, in a thread. `problem` is for clients: it names no place."""

    def __init__(
        self,
        store: Store,
        upgrade: Callable[[], Sequence[str]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`upgrade` computes what an older program left out, before the first look; it returns the symbols it was for.

        `sleep` takes seconds; tests bring their own.
        """
        self._upgrade = upgrade
        self.problem = ""
        self._store = store
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in a task of its own."""
        self._task = asyncio.create_task(self._run(), name="store watch")

    async def stop(self) -> None:
        """End it; also without a start."""
        task, self._task = self._task, None
        await end_task(task)

    async def _run(self) -> None:
        if self._upgrade is not None:
            await asyncio.to_thread(_upgrade, self._upgrade)
        while True:
            self._tell(await asyncio.to_thread(self._look))
            await self._sleep(LOOK_S)

    def _look(self) -> StoreError | None:
        try:
            self._store.resolutions_of(_ANY)
        except StoreError as error:
            return error
        return None

    def _tell(self, error: StoreError | None) -> None:
        if error is not None and not self.problem:
            logger.warning("the bar store cannot be read: %s", error)
        if error is None and self.problem:
            logger.info("the bar store can be read again")
        self.problem = UNREADABLE if error is not None else ""


def _upgrade(upgrade: Callable[[], Sequence[str]]) -> None:
    """What it cannot do now is done by the next start, or by the next import of a symbol."""
    try:
        symbols = upgrade()
    except (StoreError, ValueError) as error:
        logger.warning("coarser bars of imported ones could not be computed: %s", error)
        return
    if symbols:
        logger.info("computed the coarser bars of %s", ", ".join(symbols))
