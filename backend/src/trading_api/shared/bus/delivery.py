"""What waits for the handler of one subscription, and the task that hands it over."""

import asyncio
import contextvars
import logging
from collections import deque

from trading_api.shared.bus.bus import Handler
from trading_api.shared.bus.message import MAX_MESSAGE, Message
from trading_api.shared.bus.tasks import is_being_cancelled

logger = logging.getLogger(__name__)

MAX_MESSAGES = 4096
MAX_BYTES = 8 * 1024 * 1024
# After so many messages in a row the event loop's other tasks have their turn.
_TURN = 64


class Delivery:
    """Hands messages to one handler, one at a time, in order. A slow handler costs its own oldest messages only.

    There is a task only while something waits.
    """

    def __init__(self, subject: str, handler: Handler) -> None:
        self.subject = subject
        self.dropped = 0
        self._handler = handler
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        # The subscriber's own: a handler must not log with the request id of whoever published.
        self._context = contextvars.copy_context()
        self._stopped = self._late = self._failing = False

    @property
    def crowded(self) -> bool:
        """Whether so much waits that a publisher in the same event loop should give way."""
        return len(self._waiting) >= _TURN or self._bytes >= MAX_MESSAGE

    def offer(self, message: Message) -> None:
        """Take a message; what is too much goes, oldest first."""
        if self._stopped:
            return
        self._waiting.append(message)
        self._bytes += len(message.data)
        if len(self._waiting) > MAX_MESSAGES or self._bytes > MAX_BYTES:
            self._drop()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), context=self._context)

    def end(self) -> list[asyncio.Task[None]]:
        """Forget what waits. Returns the call under way."""
        self._stopped = True
        self._waiting.clear()
        return [] if self._task is None else [self._task]

    async def farewell(self) -> None:
        """Nobody waits."""

    def _drop(self) -> None:
        while len(self._waiting) > MAX_MESSAGES or self._bytes > MAX_BYTES:
            self._bytes -= len(self._waiting.popleft().data)
            self.dropped += 1
        if not self._late:
            self._late = True
            logger.warning("the handler of %r is too slow: its oldest messages are dropped", self.subject)

    async def _run(self) -> None:
        given = 0
        while self._waiting:
            message = self._waiting.popleft()
            self._bytes -= len(message.data)
            await self._hand_over(message)
            given += 1
            if given % _TURN == 0:
                await asyncio.sleep(0)
        if self._late:
            self._late = False
            logger.warning("the handler of %r keeps up again; dropped so far: %d", self.subject, self.dropped)

    async def _hand_over(self, message: Message) -> None:
        try:
            await self._handler(message)
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            # One traceback for a row of failures: a handler that always fails must not flood the log.
            if not self._failing:
                logger.exception("the handler of %r failed", self.subject)
            self._failing = True
        else:
            self._failing = False
