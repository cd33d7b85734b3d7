"""Who writes, as far as this instance has heard."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import NamedTuple


class News(NamedTuple):
    """What a writer says of itself. `left`: it does not write any more; `trouble`: what keeps it from it, in words."""

    epoch: int
    left: bool = False
    trouble: str = ""


class WriterNews:
    """Remembers the newest epoch that a writer of this store announced, until it leaves; wakes those who wait for news.

    What the store's lease says counts more than any memory: a store that was set back counts from a lower epoch.
    """

    def __init__(self) -> None:
        self._newest = 0
        self._there = False
        self.changes = 0
        """How often it was told something that it did not know."""
        self.trouble = ""
        """What keeps the writer from writing, as it said itself; empty if nothing does."""
        self.hears = 0
        """How often a writer was heard."""
        self._heard = False
        self._change: asyncio.Future[None] | None = None

    @property
    def epoch(self) -> int | None:
        """What the writer writes for; None: not known."""
        return self._newest if self._there else None

    @property
    def reached(self) -> bool:
        """Whether the writer is known from itself. What the store says of it alone, the bus may not reach."""
        return self._there and self._heard

    def hear(self, epoch: int, *, left: bool, trouble: str = "") -> None:
        """A writer says that it writes for `epoch`, or does not any more. One of an older epoch speaks too late."""
        if epoch >= self._newest:
            self.hears += 1
            self._note(epoch, there=not left, heard=True, trouble=trouble)
            self.stir()

    def know(self, epoch: int) -> None:
        """This instance writes for `epoch`, whatever was heard."""
        self._note(epoch, there=True, heard=True)
        self.stir()

    def read(self, epoch: int, *, held: bool) -> None:
        """The lease's row says so. One of the epoch that was heard of last may still not answer, though it is held."""
        if epoch != self._newest or not held:
            self._note(epoch, there=held)
            self.stir()

    def doubt(self, epoch: int) -> None:
        """The writer of `epoch` does not answer: it is not there, until it says so again."""
        if epoch == self._newest:
            self._there = False

    def _note(self, epoch: int, *, there: bool, heard: bool = False, trouble: str = "") -> None:
        if (epoch, there) != (self._newest, self._there):
            self.changes += 1
        self._newest, self._there = epoch, there
        self._heard, self.trouble = heard, trouble

    def stir(self) -> None:
        """Wake those who wait."""
        change, self._change = self._change, None
        if change is not None and not change.done():
            change.set_result(None)

    async def change(self, timeout: float) -> None:
        """Wait for the next change, `timeout` seconds at most."""
        if self._change is None:
            self._change = asyncio.get_running_loop().create_future()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._change), timeout)


def dump_news(epoch: int, *, left: bool = False, trouble: str = "") -> bytes:
    """The message of the writer."""
    return json.dumps({"epoch": epoch, "left": left, "trouble": trouble}).encode()


def load_news(data: bytes) -> News:
    """What a message says. Raises ValueError."""
    told = json.loads(data)
    if not isinstance(told, dict) or not isinstance(told.get("epoch"), int):
        raise ValueError(f"no news of a writer: {data[:80]!r}")
    trouble = told.get("trouble")
    return News(told["epoch"], told.get("left") is True, trouble if isinstance(trouble, str) else "")
