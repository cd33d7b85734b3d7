"""Advances the streams as time passes: one task per process, and none while nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from trading_api.modules.datafeed.feed.board import QuoteBoard
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.feed.streams import Stream

logger = logging.getLogger(__name__)
_END = object()
STEP_MS = 1000
SLICE_S = 0.005
"""Seconds of telling after which the event loop has its turn: requests are answered, and what was told is sent."""


def wall_clock() -> int:
    """Now, ms UTC."""
    return time.time_ns() // 1_000_000


class LiveFeed:
    """The streams of this process. All calls come from the event loop's thread; `board` from any."""

    def __init__(
        self,
        source: FeedSource,
        clock: Callable[[], int] = wall_clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        slice_s: float = SLICE_S,
    ) -> None:
        """`clock` tells ms UTC, `sleep` takes seconds; tests bring their own. `slice_s`: see SLICE_S."""
        self.source = source
        self._clock = clock
        self._sleep = sleep
        self._slice_s = slice_s
        self._streams: dict[str, Stream] = {}
        self._failed: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def board(self) -> QuoteBoard:
        """The quotes of now."""
        return QuoteBoard(self.source, self._clock())

    def add(self, name: str, stream: Stream) -> None:
        """Begin a stream: what there is to tell is told at once. `name` is its topic's."""
        for _ in stream.advance(self.board()):
            # Nobody else waits for it: this is before the first subscriber.
            pass
        self._streams[name] = stream
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live feed")

    async def remove(self, name: str) -> None:
        """End a stream, and with the last one the task."""
        self._streams.pop(name, None)
        self._failed.discard(name)
        if not self._streams:
            await self.stop()

    async def stop(self) -> None:
        """End everything."""
        self._streams.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            # Ticks fall on whole seconds; just after one is when there is something new.
            await self._sleep((STEP_MS - self._clock() % STEP_MS) / 1000)
            await self.step()

    async def step(self) -> None:
        """Advance every stream to now, in slices."""
        board, turns = self.board(), _Turns(self._slice_s)
        for name, stream in tuple(self._streams.items()):
            await turns.pause_if_due()
            await self._advance(name, stream, board, turns)

    async def _advance(self, name: str, stream: Stream, board: QuoteBoard, turns: _Turns) -> None:
        try:
            told = stream.advance(board)
            # It may have ended while others had their turn, and another may have begun under its name.
            while self._streams.get(name) is stream and next(told, _END) is not _END:
                await turns.pause_if_due()
        except Exception:  # The boundary between streams: one that fails must not end the others.
            if name not in self._failed:
                logger.exception("the stream %s failed; it is tried again every second", name)
            self._failed.add(name)
        else:
            self._failed.discard(name)


class _Turns:
    """Shares the event loop: lets it have its turn whenever a slice of time is over."""

    def __init__(self, slice_s: float) -> None:
        self._slice_s = slice_s
        self._end = time.perf_counter() + slice_s

    async def pause_if_due(self) -> None:
        """Give everybody else a turn, if it is time."""
        if time.perf_counter() >= self._end:
            await asyncio.sleep(0)
            self._end = time.perf_counter() + self._slice_s
