"""The parts of a running broker: how they start, stop, and fare together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import Engine

from trading_api.modules.broker.journal.journal import Journal
from trading_api.modules.broker.market.linked_market import LinkedMarket
from trading_api.modules.broker.streams.streams import Streams
from trading_api.modules.broker.writer.commands import Commands
from trading_api.modules.broker.writer.writer import Writer
from trading_api.shared.bus import Bus, BusError
from trading_api.shared.tasks import end_task

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""A writer that goes is followed by another within this time; until then, and at the start, nothing is amiss."""
NO_WRITER = "Nobody carries out orders at the moment."
NO_BUS = "The bus is away, so orders may have to wait, and updates come late."


class Machinery:
    """Starts without waiting for anybody, and stops in good order. Belongs to one event loop."""

    def __init__(
        self,
        *,
        engine: Engine,
        bus: Bus,
        journal: Journal,
        market: LinkedMarket,
        writer: Writer,
        commands: Commands,
        streams: Streams,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`engine` is the journal's, to be closed at the end. `clock` tells monotonic seconds."""
        self.journal = journal
        self.market = market
        self.commands = commands
        self.streams = streams
        self._engine = engine
        self._bus = bus
        self._writer = writer
        self._clock = clock
        self._well_at = clock()
        self._connecting: asyncio.Task[None] | None = None
        self.stopped = False

    @property
    def problem(self) -> str:
        """What keeps orders from being carried out, for people; empty if nothing does, or only for a moment."""
        problem, now = self._present_problem(), self._clock()
        if not problem:
            self._well_at = now
        return problem if now - self._well_at > PATIENCE_S else ""

    @property
    def unvalued(self) -> str:
        """Why accounts are not valued, though they should be by now, for people; empty if they are."""
        return self._writer.unvalued

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._well_at = self._clock()
        self.market.start()
        self._writer.start()
        self.streams.start()
        self._connecting = asyncio.create_task(self._connect(), name="broker's bus")

    async def stop(self) -> None:
        """Finish what was begun, hand over, and close everything. For good."""
        self.stopped = True
        await end_task(self._connecting)
        await self.commands.stop()
        await self._writer.stop()
        await self.streams.stop()
        await self.market.stop()
        await self._bus.close()
        await asyncio.to_thread(self._engine.dispose)

    async def _connect(self) -> None:
        try:
            await self._bus.connect()
            await self.commands.start()
        except BusError as error:
            logger.error("the broker has no bus: %s", error)

    def _present_problem(self) -> str:
        if self._writer.problem:
            return self._writer.problem
        if not self._bus.connected:
            return NO_BUS
        if self._writer.is_ready:
            return ""
        news = self._writer.news
        return news.trouble if news.reached else self._writer.distant or NO_WRITER
