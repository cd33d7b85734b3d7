"""Looks up answers that the store holds already: many at a time, one query after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from typing import Protocol

from trading_api.modules.broker.journal.batch import CommandAnswer
from trading_api.modules.broker.writer.call import CallKey

_MOST = 200
"""Keys of one query."""


class Answers(Protocol):
    """What holds them; blocks."""

    def answers(self, keys: Collection[CallKey]) -> Mapping[CallKey, CommandAnswer]:
        """Those that there are. Raises StoreError."""


class Lookups:
    """Belongs to one event loop. What is asked for while a query runs goes into the next one."""

    def __init__(self, answers: Answers, thread: Executor) -> None:
        self._answers = answers
        self._thread = thread
        self._wanted: dict[asyncio.Future[CommandAnswer | None], CallKey] = {}
        self._task: asyncio.Task[None] | None = None

    async def find(self, key: CallKey) -> CommandAnswer | None:
        """The answer under `key`; None if there is none. Raises StoreError."""
        future: asyncio.Future[CommandAnswer | None] = asyncio.get_running_loop().create_future()
        self._wanted[future] = key
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="stored answers")
        return await future

    async def stop(self) -> None:
        """Ask for no more; those who wait are cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        for future in self._wanted:
            future.cancel()

    async def _run(self) -> None:
        while self._wanted:
            wanted = dict(list(self._wanted.items())[:_MOST])
            for future in wanted:
                del self._wanted[future]
            await self._look(wanted)

    async def _look(self, wanted: Mapping[asyncio.Future[CommandAnswer | None], CallKey]) -> None:
        keys = list(dict.fromkeys(wanted.values()))
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._answers.answers, keys)
        try:
            found = await work
        except (Exception, asyncio.CancelledError) as error:
            for future in wanted:
                if not future.done():
                    _fail(future, error)
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        for future, key in wanted.items():
            if not future.done():
                future.set_result(found.get(key))


def _fail(future: asyncio.Future[CommandAnswer | None], error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
    else:
        future.set_exception(error)
