"""Advances the streams as time passes: one task per process, and none while nobody listens."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping

from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.board import QuoteBoard
from trading_api.modules.datafeed.feed.clock import wall_clock
from trading_api.modules.datafeed.feed.clock_watch import ClockWatch
from trading_api.modules.datafeed.feed.source import FeedSource
from trading_api.modules.datafeed.feed.streams import Stream
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.shared.tasks import end_task

logger = logging.getLogger(__name__)
_END = object()
LOOK_MS = 2000
"""How often symbols are looked for that had no quotes when their streams began: they may be imported since."""
_LEISURE = 20
"""A look that takes long makes the next one wait so many times as long, up to so many LOOK_MS."""
SLICE_S = 0.005
"""Seconds of telling after which the event loop has its turn: requests are answered, and what was told is sent."""
_FAILED = "The quotes stand still: the feed failed; the log has the reason."
_UNREADABLE = "The quotes stand still: the store cannot be read at the moment."


class LiveFeed:
    """The streams of this process. All calls come from the event loop's thread, but for those that say otherwise."""

    def __init__(
        self,
        source: FeedSource,
        clock: Callable[[], int] = wall_clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        slice_s: float = SLICE_S,
        find: Callable[[Collection[str]], Mapping[str, Instrument]] = lambda _: {},
    ) -> None:
        """`clock` tells ms UTC, `sleep` takes seconds; tests bring their own. `slice_s`: see SLICE_S. `find` tells, in
        any thread, which symbols have quotes by now; it may raise StoreError."""
        self.source = source
        self._clock = clock
        self._sleep = sleep
        self._slice_s = slice_s
        self._find = find
        self._next_look = 0
        self._streams: dict[str, Stream] = {}
        self._wanted: Counter[Instrument] = Counter()
        self._failed: set[str] = set()
        self._stepping = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._woken: asyncio.Task[None] | None = None
        self._problem = ""
        self._moment = 0
        self._clock_watch = ClockWatch()

    @property
    def problem(self) -> str:
        """Why the quotes are not what they should be, for clients to read; empty if they are."""
        return self._problem or self.source.problem

    @property
    def woken(self) -> bool:
        """Whether a step is due that `wake` asked for."""
        return self._woken is not None

    async def start(self) -> None:
        """Begin; the first stream may come."""
        await self.source.start(self.wake)

    async def stop(self) -> None:
        """End everything."""
        await self._rest()
        await self.source.stop()

    def now(self) -> int:
        """The time of the wall clock, ms UTC. From any thread."""
        return self._clock()

    def board(self) -> QuoteBoard:
        """The quotes of now, of what is prepared. From any thread."""
        return QuoteBoard(self.source, self._clock())

    def fresh_board(self, instruments: Collection[Instrument]) -> QuoteBoard:
        """The quotes of now, prepared for these. Not in the event loop's thread: it may wait. Raises StoreError."""
        self.source.prepare(instruments, self._clock())
        return self.board()

    def add(self, name: str, stream: Stream) -> None:
        """Begin a stream that is prepared: what there is to tell is told at once. `name` is its topic's."""
        board = self.board()
        self._clock_watch.look(board, self._streams.values())
        for _ in stream.advance(board):
            # Nobody else waits for it: this is before the first subscriber.
            pass
        self._streams[name] = stream
        self._wanted.update(stream.instruments)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live feed")

    async def remove(self, name: str) -> None:
        """End a stream, and with the last one the task."""
        stream = self._streams.pop(name, None)
        self._failed.discard(name)
        if stream is not None:
            # What counts zero goes: the counter holds what is wanted and nothing else.
            self._wanted = +(self._wanted - Counter(stream.instruments))
        if not self._streams:
            await self._rest()

    def wake(self) -> None:
        """There is something new: tell it now, not at the next step."""
        if self._streams and self._woken is None:
            self._woken = asyncio.create_task(self._step_at_once(), name="live feed, woken")

    async def step(self) -> None:
        """Advance every stream to now, in slices."""
        async with self._stepping:
            await self._prepare()
            await self._advance_all(self.board())

    async def _run(self) -> None:
        while True:
            # Ticks fall on whole seconds; just after one is when there is something new.
            step_ms = self.source.step_ms
            await self._sleep((step_ms - self._clock() % step_ms) / 1000)
            await self.step()

    async def _step_at_once(self) -> None:
        async with self._stepping:
            # What comes from here on may be missed by this step, so it wakes another.
            self._woken = None
            await self._prepare()
            board = self.board()
            # Asked after where the feed stands, so that nothing up to there is left out.
            board.changed = self.source.changed(self._moment)
            await self._advance_all(board)

    async def _rest(self) -> None:
        self._streams.clear()
        self._wanted.clear()
        self._clock_watch.forget()
        tasks = (self._task, self._woken)
        self._task = self._woken = None
        for task in tasks:
            await end_task(task)

    async def _advance_all(self, board: QuoteBoard) -> None:
        turns, self._moment = _Turns(self._slice_s), board.moment
        self._clock_watch.look(board, self._streams.values())
        for name, stream in tuple(self._streams.items()):
            await turns.pause_if_due()
            await self._advance(name, stream, board, turns)

    async def _learn(self) -> None:
        """Begin with symbols that had no quotes when their streams began, and have some now."""
        streams = [stream for stream in self._streams.values() if stream.missing]
        if not streams or 0 <= self._next_look - self._clock() <= LOOK_MS * _LEISURE:
            return
        known = await self._looked_up({symbol for stream in streams for symbol in stream.missing})
        # Some may have ended meanwhile.
        there = set(map(id, self._streams.values()))
        for stream in streams:
            if id(stream) in there:
                before = frozenset(stream.instruments)
                stream.learn(known)
                self._wanted.update(frozenset(stream.instruments) - before)

    async def _looked_up(self, symbols: Collection[str]) -> Mapping[str, Instrument]:
        began = self._clock()
        try:
            return await asyncio.to_thread(self._find, symbols)
        except StoreError as error:
            logger.debug("symbols without quotes cannot be looked up: %s", error)
        except Exception:  # The boundary to a source, as of `_prepare`.
            logger.exception("symbols without quotes cannot be looked up")
        finally:
            took = max(0, self._clock() - began)
            self._next_look = began + min(LOOK_MS + _LEISURE * took, LOOK_MS * _LEISURE)
        return {}

    async def _prepare(self) -> None:
        """Have the source look; while it cannot, what was told stays."""
        await self._learn()
        wall, problem = self._clock(), ""
        if not self.source.ready(self._wanted.keys(), wall):
            try:
                await asyncio.to_thread(self.source.prepare, tuple(self._wanted), wall)
            except StoreError as error:
                problem = _UNREADABLE
                if not self._problem:
                    logger.warning("quotes stand still until the store can be read: %s", error)
            except Exception:  # The boundary to a source: what fails now may work a second later.
                problem = _FAILED
                if not self._problem:
                    logger.exception("quotes stand still: the feed failed")
        if self._problem and not problem:
            logger.info("quotes move again")
        self._problem = problem

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
