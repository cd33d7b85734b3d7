"""The way out to one client: what a connection needs of a server."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import Send

from trading_api.shared.ws.message import Message

SOCKET_EXTENSION = "trading_api.socket"
"""The ASGI extension under which our server offers its own ClientSocket; others are spoken to by ASGI events."""
_FINISH_S = 1.0
# What an AsgiSocket takes beside the one that is being sent, so that a burst needs one task.
_PENDING = 64


class ClientSocket(Protocol):
    """Writes to one client without waiting. What is written once it has gone is dropped."""

    @property
    def writable(self) -> bool:
        """Whether what is written now leaves soon; False while the client reads too slowly. True once it has gone."""

    def attach(self, on_writable: Callable[[], None]) -> None:
        """Call `on_writable` each time the socket becomes writable again, and when the client has gone."""

    def write(self, message: Message) -> None:
        """Send a message. Allowed while not writable: it then waits in memory."""

    def close(self, code: int, reason: str) -> None:
        """Close at once, ahead of a client that does not read. `reason` is at most 123 bytes."""

    async def finish(self) -> None:
        """Wait, for a bounded time, until everything written has been handed on; nothing is left running."""


class AsgiSocket:
    """A ClientSocket on any ASGI server. Costs a task for every burst, so our server brings its own."""

    __slots__ = ("_on_writable", "_pending", "_send", "_task")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._pending: deque[dict[str, Any]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._on_writable: Callable[[], None] = _nothing

    @property
    def writable(self) -> bool:
        return len(self._pending) < _PENDING

    def attach(self, on_writable: Callable[[], None]) -> None:
        self._on_writable = on_writable

    def write(self, message: Message) -> None:
        self._put(message.asgi)

    def close(self, code: int, reason: str) -> None:
        # The one that is being sent cannot be recalled; the rest would only delay the close.
        while len(self._pending) > 1:
            self._pending.pop()
        self._put({"type": "websocket.close", "code": code, "reason": reason})

    async def finish(self) -> None:
        if self._task is not None:
            _, left = await asyncio.wait({self._task}, timeout=_FINISH_S)
            for task in left:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _put(self, event: dict[str, Any]) -> None:
        self._pending.append(event)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._pending:
                await self._send(self._pending[0])
                self._pending.popleft()
        except Exception:  # noqa: BLE001 - servers differ in what they raise when the client has gone
            self._pending.clear()
        finally:
            self._task = None
        self._on_writable()


def _nothing() -> None:
    """What a socket calls before a connection is attached."""
