"""Asks the instances of a server over HTTP. A library for it would take a fifth of the broker's memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from trading_api.modules.broker.link.http_answer import HttpAnswer, HttpAnswerError
from trading_api.modules.broker.link.http_connection import HttpConnection

# Questions under way at once.
_CONNECTIONS = 8
# The server keeps idle connections for 75 s; one that is about to be closed is not used any more.
_IDLE_S = 30.0
# For so long an instance that failed is asked last.
_SHUNNED_S = 5.0
_SERVER_ERROR = 500
NO_ANSWER = "The datafeed does not answer."


class HttpError(Exception):
    """No instance answered; the message says why, for people, and names no address."""


@dataclass(slots=True)
class _Instance:
    """One address, its idle connections (with the time since when), and until when it is asked last."""

    base: str
    idle: list[tuple[float, HttpConnection]] = field(default_factory=list)
    shunned_until: float = 0.0


class HttpClient:
    """Lives in one event loop until it is closed. What is asked must be safe to ask twice."""

    def __init__(
        self, bases: Sequence[str], *, timeout_s: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`bases` are the instances' URLs, the best first; `timeout_s` is for an answer, however many are asked."""
        self._instances = [_Instance(base) for base in bases]
        self._timeout_s = timeout_s
        self._clock = clock
        self._room = asyncio.Semaphore(_CONNECTIONS)
        self._answered_at = -inf

    @property
    def answers(self) -> bool:
        """Whether some question was answered within the time that one may take, though another may wait for long."""
        return self._clock() - self._answered_at < self._timeout_s

    def prefer(self, base: str) -> None:
        """Ask this instance first."""
        self._instances.sort(key=lambda each: each.base != base)

    def close(self) -> None:
        """Close what is idle. What is asked from now on opens anew, maybe in another event loop."""
        self._room = asyncio.Semaphore(_CONNECTIONS)
        for instance in self._instances:
            while instance.idle:
                instance.idle.pop()[1].close()

    async def ask(self, method: str, path: str, body: bytes = b"") -> HttpAnswer:
        """The answer of the first instance that gives one; that of a failing one (5xx) where no other does.

        Raises HttpError, after `timeout_s` at the latest.
        """
        deadline = self._clock() + self._timeout_s
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                return await self._ask_in_turn(method, path, body, deadline)
        except TimeoutError:
            raise HttpError(NO_ANSWER) from None

    async def _ask_in_turn(self, method: str, path: str, body: bytes, deadline: float) -> HttpAnswer:
        now, failed, error = self._clock(), None, HttpError("No datafeed is deployed.")
        # Stable: of those that are well the preferred one comes first.
        turn = sorted(self._instances, key=lambda each: max(each.shunned_until, now))
        for left, instance in zip(range(len(turn), 0, -1), turn, strict=True):
            try:
                async with asyncio.timeout((deadline - self._clock()) / left):
                    answer = await self._ask(instance, method, path, body)
                self._answered_at = self._clock()
                if answer.status < _SERVER_ERROR:
                    instance.shunned_until = 0.0
                    return answer
                failed = answer
            except (OSError, HttpAnswerError) as reason:
                error = _explained(reason)
            instance.shunned_until = self._clock() + _SHUNNED_S
        if failed is None:
            raise error
        return failed

    async def _ask(self, instance: _Instance, method: str, path: str, body: bytes) -> HttpAnswer:
        connection = self._idle(instance) or await HttpConnection.open(instance.base)
        try:
            answer = await self._ask_on(connection, method, path, body)
        except ConnectionError:
            if not connection.answered:
                raise
            # The server closed it while it was idle, which is its right.
            connection = await HttpConnection.open(instance.base)
            answer = await self._ask_on(connection, method, path, body)
        if answer.keeps:
            instance.idle.append((self._clock(), connection))
        else:
            connection.close()
        return answer

    async def _ask_on(self, connection: HttpConnection, method: str, path: str, body: bytes) -> HttpAnswer:
        try:
            return await connection.ask(method, path, body)
        except BaseException:  # Whatever it was, also that nobody waits any more: an answer may still come.
            connection.close()
            raise

    def _idle(self, instance: _Instance) -> HttpConnection | None:
        """A connection that is open still; those that are idle for long are closed."""
        while instance.idle:
            since, connection = instance.idle.pop()
            if self._clock() - since < _IDLE_S:
                return connection
            connection.close()
        return None


def _explained(reason: Exception) -> HttpError:
    if isinstance(reason, TimeoutError):
        return HttpError(NO_ANSWER)
    if isinstance(reason, HttpAnswerError):
        return HttpError("What answers at the datafeed's address is no datafeed.")
    return HttpError("The datafeed cannot be reached.")
