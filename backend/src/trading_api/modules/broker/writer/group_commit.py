"""Group commit: one transaction is in the store's hands at a time, and meanwhile the next one collects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Generic, Protocol, TypeVar

EventT = TypeVar("EventT")
AnswerT = TypeVar("AnswerT")


class Waiting(Protocol):
    """What waits for a commit."""

    def settle(self) -> None:
        """All of it is durable, and so is everything before it."""

    def fail(self, error: Exception) -> None:
        """It is not, or nobody can tell."""


class Group(Generic[EventT, AnswerT]):
    """What goes into one transaction, in order, and who waits for it."""

    __slots__ = ("answers", "events", "waiting")

    def __init__(self) -> None:
        self.events: list[EventT] = []
        self.answers: list[AnswerT] = []
        self.waiting: list[Waiting] = []

    @property
    def writes(self) -> bool:
        """Whether there is anything to commit; otherwise it only waits for its turn."""
        return bool(self.events or self.answers)

    def settle(self) -> None:
        for each in self.waiting:
            each.settle()

    def fail(self, error: Exception) -> None:
        for each in self.waiting:
            each.fail(error)


class GroupCommit(Generic[EventT, AnswerT]):
    """Takes what was executed, in order, until the first commit that fails. Belongs to one event loop.

    `commit` blocks, in `thread`, and raises if nothing was written. `written` is called with the events of each commit
    that went well, once those who waited were told; `failed` once, with what went wrong: the state that ran ahead of
    the store is worth nothing then, and neither is this.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[EventT], Sequence[AnswerT]], None],
        thread: Executor,
        *,
        written: Callable[[Sequence[EventT]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._commit = commit
        self._thread = thread
        self._written = written
        self._failed = failed
        self._next: Group[EventT, AnswerT] = Group()
        self._busy = False
        self._error: Exception | None = None
        self._idle: list[asyncio.Future[None]] = []

    def add(self, events: Sequence[EventT], answers: Sequence[AnswerT], waiting: Waiting | None) -> None:
        """Have it written with the next commit. Does not wait."""
        if self._error is not None:
            if waiting is not None:
                waiting.fail(self._error)
            return
        group = self._next
        group.events.extend(events)
        group.answers.extend(answers)
        if waiting is not None:
            group.waiting.append(waiting)
        if not self._busy:
            # Soon, not now: what else arrives in this turn of the event loop joins.
            self._busy = True
            asyncio.get_running_loop().call_soon(self._begin)

    def abandon(self, error: Exception) -> None:
        """Take nothing more, and fail what is not in the store's hands yet. What is, ends as it ends."""
        if self._error is None:
            self._error = error
            group, self._next = self._next, Group()
            group.fail(error)

    async def idle(self) -> None:
        """Wait until the store has nothing in hand, and nothing waits for it."""
        if self._busy:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(future)
            await future

    def _begin(self) -> None:
        group, self._next = self._next, Group()
        if not group.writes:
            self._end(group)
            return
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, group.events, group.answers)
        work.add_done_callback(partial(self._ended, group))

    def _ended(self, group: Group[EventT, AnswerT], work: asyncio.Future[None]) -> None:
        # The thread is never cancelled; if its pool was shut down, that is an error like another.
        error = work.exception()
        if error is None:
            self._end(group)
            return
        assert isinstance(error, Exception)
        group.fail(error)
        known = self._error is not None
        self.abandon(error)
        self._rest()
        if not known:
            self._failed(error)

    def _end(self, group: Group[EventT, AnswerT]) -> None:
        group.settle()
        if group.events:
            self._written(group.events)
        if self._next.writes or self._next.waiting:
            self._begin()
        else:
            self._rest()

    def _rest(self) -> None:
        self._busy = False
        idle, self._idle = self._idle, []
        for future in idle:
            if not future.done():
                future.set_result(None)
