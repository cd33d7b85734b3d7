"""Reads the grids and hours of symbols of which they are not known: hundreds after a start."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from trading_api.modules.broker.market.inquiries import Inquiries
from trading_api.modules.broker.market.listing import Listing
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol

logger = logging.getLogger(__name__)

# At once: the datafeed has others to answer, too.
_AT_ONCE = 4


class Learning:
    """A few at a time, and first those that somebody waits for. Belongs to one event loop."""

    def __init__(self, inquiries: Inquiries) -> None:
        self._inquiries = inquiries
        self._next: deque[Listing] = deque()
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    def begin(self, listings: Iterable[Listing]) -> None:
        """Learn of these, unless it still learns. What fails is left: begin again."""
        if self._task is None or self._task.done():
            self._next = deque(each for each in listings if self._inquiries.lacks(each))
            self._start()

    def hurry(self, listing: Listing) -> None:
        """This one next."""
        self._next.appendleft(listing)
        if self._task is None or self._task.done():
            self._start()

    async def stop(self) -> None:
        """Learn no more."""
        task, self._task = self._task, None
        self._next.clear()
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def _start(self) -> None:
        self._failures = 0
        if self._next:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="market learning")

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(self._next))):
                group.create_task(self._work())

    async def _work(self) -> None:
        while self._next:
            await self._learn(self._next.popleft())

    async def _learn(self, listing: Listing) -> None:
        """A symbol that cannot be told of keeps no other from it; when so many cannot, the datafeed is away."""
        if not self._inquiries.lacks(listing):
            return
        try:
            await self._inquiries.learn(listing)
        except UnknownSymbol:
            pass
        except MarketUnavailable as error:
            logger.debug("%s: not learned: %s", listing.symbol, error)
            self._failures += not error.answered
            if self._failures >= _AT_ONCE:
                self._next.clear()
        except Exception:  # A boundary: the others are learned all the same.
            logger.exception("the market of %s cannot be learned", listing.symbol)
