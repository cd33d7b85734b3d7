"""The calls that the writer has taken and not answered yet, and who waits for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from trading_api.modules.broker.writer.call import Call, CallKey, Reply
from trading_api.modules.broker.writer.errors import KeyReused, Overloaded

MOST = 4096
KEY_REUSED = "This Idempotency-Key was used for another request."
_OVERLOADED = "Too many commands wait for the broker; nothing of this one was done."


class InFlight:
    """One call, from its arrival to its answer. Equal ones that arrive meanwhile wait for the same answer."""

    __slots__ = ("_forget", "_waiters", "call", "reply", "since")

    def __init__(self, call: Call, since: float, forget: Callable[[InFlight], None]) -> None:
        """`since`: when it came, on the event loop's clock."""
        self.call = call
        self.since = since
        self.reply: Reply | None = None
        self._waiters: list[asyncio.Future[Reply]] = []
        self._forget = forget

    def join(self) -> asyncio.Future[Reply]:
        """The answer, for one who waits; cancelling it is nobody else's business."""
        waiter: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def settle(self) -> None:
        """What it did is durable: its answer goes out."""
        reply = self.reply
        assert reply is not None, "executed before it is committed"
        self._forget(self)
        for waiter in self._take():
            waiter.set_result(reply)

    def fail(self, error: Exception) -> None:
        """It will not be answered here."""
        self._forget(self)
        self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Nobody is to wait any longer, though it may still be carried out."""
        for waiter in self._take():
            waiter.set_exception(error)

    def _take(self) -> list[asyncio.Future[Reply]]:
        waiters, self._waiters = self._waiters, []
        return [waiter for waiter in waiters if not waiter.done()]


class CallsInFlight:
    """Bounded in number. One entry for each key; queries have none."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._by_key: dict[CallKey, InFlight] = {}
        # In the order of arrival.
        self._all: dict[InFlight, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def find(self, call: Call) -> InFlight | None:
        """The same call, if it is here already. Raises KeyReused if another one has its id."""
        found = None if call.is_query else self._by_key.get(call.key)
        if found is not None and found.call.body_hash != call.body_hash:
            raise KeyReused(KEY_REUSED)
        return found

    def enter(self, call: Call, now: float) -> InFlight:
        """Take one that is not here yet. Raises Overloaded."""
        if len(self._all) >= self._most:
            raise Overloaded(_OVERLOADED)
        entry = InFlight(call, now, self._forget)
        self._all[entry] = None
        if not call.is_query:
            self._by_key[call.key] = entry
        return entry

    def give_up(self, before: float, error: Exception) -> None:
        """Let nobody wait any longer for what came before a time."""
        for entry in self._all:
            if entry.since >= before:
                break
            entry.give_up(error)

    def _forget(self, entry: InFlight) -> None:
        self._all.pop(entry, None)
        if self._by_key.get(entry.call.key) is entry:
            del self._by_key[entry.call.key]
