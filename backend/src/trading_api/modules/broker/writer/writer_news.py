"""Who writes, as far as this instance has heard."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress


class WriterNews:
    """Remembers the newest epoch that a writer announced, until it leaves; wakes those who wait for a change."""

    def __init__(self) -> None:
        self._newest = 0
        self._there = False
        self._change: asyncio.Future[None] | None = None

    @property
    def epoch(self) -> int | None:
        """What the writer writes for; None: not known."""
        return self._newest if self._there else None

    def hear(self, epoch: int, *, left: bool) -> None:
        """A writer says that it writes for `epoch`, or does not any more. One of an older epoch speaks too late."""
        if epoch >= self._newest:
            self._newest, self._there = epoch, not left
            self.stir()

    def doubt(self, epoch: int) -> None:
        """The writer of `epoch` does not answer: it is not there, until it says so again."""
        if epoch == self._newest:
            self._there = False

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


def dump_news(epoch: int, *, left: bool = False) -> bytes:
    """The message of the writer."""
    return json.dumps({"epoch": epoch, "left": left}).encode()


def load_news(data: bytes) -> tuple[int, bool]:
    """Epoch, and whether its writer left. Raises ValueError."""
    told = json.loads(data)
    if not isinstance(told, dict) or not isinstance(told.get("epoch"), int):
        raise ValueError(f"no news of a writer: {data[:80]!r}")
    return told["epoch"], told.get("left") is True
