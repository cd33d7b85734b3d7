"""The calls of one responder that are under way."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine

from trading_api.shared.bus.bus import Responder
from trading_api.shared.bus.errors import BusError, BusUnavailable, MessageTooLarge, ResponderBusy, ResponderFailed
from trading_api.shared.bus.message import check_size
from trading_api.shared.bus.tasks import is_being_cancelled

logger = logging.getLogger(__name__)

MAX_UNDER_WAY = 256

# What the caller gets: the answer, or the error it shall raise.
Outcome = bytes | BusError
Reply = Callable[[Outcome], Awaitable[None]]


class Answering:
    """Answers requests side by side, and each with something: also when the responder fails, is busy or ends."""

    def __init__(self, subject: str, responder: Responder) -> None:
        self.subject = subject
        self.dropped = 0
        self._responder = responder
        self._open: dict[asyncio.Task[None], Reply] = {}
        self._ending: dict[asyncio.Task[None], Reply] = {}
        self._refusing: set[asyncio.Task[None]] = set()
        # The server's own: a responder must not log with the request id of whoever asks.
        self._context = contextvars.copy_context()
        self._stopped = False

    def offer(self, data: bytes, reply: Reply) -> None:
        """Begin to answer a request; `reply` is called once."""
        if self._stopped:
            self._refuse(reply, self._ended())
        elif len(self._open) >= MAX_UNDER_WAY:
            self.dropped += 1
            busy = ResponderBusy(f"the server of {self.subject!r} has {MAX_UNDER_WAY} requests under way")
            self._refuse(reply, busy)
        else:
            task = self._task(self._answer(data, reply))
            self._open[task] = reply
            task.add_done_callback(self._open.pop)

    def end(self) -> list[asyncio.Task[None]]:
        """Refuse every further request. Returns the calls under way."""
        self._stopped = True
        self._ending = dict(self._open)
        return [*self._open]

    async def farewell(self) -> None:
        """Tell the callers of the calls that were broken off."""
        ending, self._ending = self._ending, {}
        for task, reply in ending.items():
            if task.done() and task.cancelled():
                await reply(self._ended())

    def _task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work, context=self._context.copy())

    def _refuse(self, reply: Reply, error: BusError) -> None:
        task = self._task(_call(reply, error))
        self._refusing.add(task)
        task.add_done_callback(self._refusing.discard)

    def _ended(self) -> BusUnavailable:
        return BusUnavailable(f"the server of {self.subject!r} ended before it answered")

    async def _answer(self, data: bytes, reply: Reply) -> None:
        await reply(await self._outcome(data))

    async def _outcome(self, data: bytes) -> Outcome:
        try:
            answer = await self._responder(data)
            check_size(self.subject, answer)
        except MessageTooLarge as error:
            logger.error("the answer is too large: %s", error)
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            logger.exception("the server of %r failed", self.subject)
        else:
            return answer
        return ResponderFailed(f"the server of {self.subject!r} failed; its log says why")


async def _call(reply: Reply, error: BusError) -> None:
    await reply(error)
