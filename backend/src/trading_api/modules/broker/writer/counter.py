"""Where the other instances reach the writer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from trading_api.modules.broker.writer.call import Call, Reply
from trading_api.modules.broker.writer.codec import load_call
from trading_api.modules.broker.writer.errors import Again, CommandError
from trading_api.modules.broker.writer.subjects import Subjects
from trading_api.modules.broker.writer.wire import dump_error, dump_success
from trading_api.shared.bus import Bus, BusError, Subscription

logger = logging.getLogger(__name__)

_OTHER_STORE = "This broker works on another store."
Take = Callable[[Call], asyncio.Future[Reply]]


class Counter:
    """Serves the commands of one epoch of one store, from `open` to `close`. What the bus lacks, it gets when it is

    back.
    """

    def __init__(self, bus: Bus, take: Take) -> None:
        """`take` raises Again or a CommandError, and so do its futures."""
        self._bus = bus
        self._take = take
        self._opening: asyncio.Task[Subscription] | None = None
        self._place: tuple[Subjects, int] | None = None

    async def open(self, subjects: Subjects, epoch: int) -> None:
        """Serve from now on, if it does not yet. A bus that hangs does not keep the writer from its work."""
        if self._place == (subjects, epoch):
            return
        await self.close()
        self._place = subjects, epoch
        serving = self._bus.serve(subjects.commands(epoch), partial(self._answer, subjects.store_id))
        self._opening = asyncio.ensure_future(serving)

    async def close(self) -> None:
        """Serve no more; whoever waits is told so, and tries again."""
        opening, self._opening, self._place = self._opening, None, None
        if opening is None:
            return
        if not opening.done():
            opening.cancel()
            await asyncio.wait({opening})
        if opening.cancelled():
            return
        try:
            await opening.result().unsubscribe()
        except BusError as error:
            logger.debug("the writer was not served: %s", error)

    async def _answer(self, store_id: str, data: bytes) -> bytes:
        wanted, call = load_call(data)
        try:
            if wanted != store_id:
                raise Again(_OTHER_STORE)
            return dump_success(await self._take(call))
        except (Again, CommandError) as error:
            return dump_error(error)
