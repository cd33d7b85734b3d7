"""Clients of a Hub without a server: sockets that write down what they get, in the test's own event loop."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from trading_api.shared.users import Identity
from trading_api.shared.ws import Hub
from trading_api.shared.ws.message import Message

Json = dict[str, Any]


class FakeSocket:
    """A ClientSocket that keeps what is written, and is as writable as the test says."""

    def __init__(self) -> None:
        self.sent: list[Json] = []
        self.closed: tuple[int, str] | None = None
        self.on_close: Callable[[], None] = lambda: None
        self.written = asyncio.Event()
        self.writable = True
        self._reads_one = False
        self._on_writable: Callable[[], None] = lambda: None

    def attach(self, on_writable: Callable[[], None]) -> None:
        self._on_writable = on_writable

    def write(self, message: Message) -> None:
        assert message.frame.endswith(message.payload), "what a real socket takes"
        self.sent.append(json.loads(message.payload))
        self.written.set()
        if self._reads_one:
            self._reads_one = self.writable = False

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)
        self.on_close()

    async def finish(self) -> None:
        pass

    def read_again(self) -> None:
        """The client reads all there is."""
        self.writable = True
        self._reads_one = False
        self._on_writable()

    def read_one(self) -> None:
        """The client has room for one message."""
        self.writable = self._reads_one = True
        self._on_writable()


class FakeClient:
    """A client connected to a hub; `identity`: whose it is."""

    def __init__(self, hub: Hub, identity: Identity | None = None) -> None:
        self.socket = FakeSocket()
        self._events: asyncio.Queue[Json] = asyncio.Queue()
        # As a server does: once closed from this side, the app is told of the end.
        self.socket.on_close = self.hang_up
        self.task = asyncio.create_task(hub.serve(self.socket, self._events.get, identity))

    @property
    def sent(self) -> list[Json]:
        """Everything the client got, in order."""
        return self.socket.sent

    @property
    def updates(self) -> list[Any]:
        """The payloads of the updates it got."""
        return [frame["payload"]["payload"] for frame in self.sent if frame["type"].endswith(".update")]

    @property
    def seqs(self) -> list[int]:
        """The sequence numbers of the updates it got."""
        return [frame["seq"] for frame in self.sent if frame["type"].endswith(".update")]

    @property
    def codes(self) -> list[str]:
        """The codes of the error replies it got."""
        return [frame["payload"]["code"] for frame in self.sent if frame["type"] == "error"]

    def post(self, frame: Json | str | bytes) -> None:
        """Send without waiting: a frame, or any text or bytes."""
        if isinstance(frame, bytes):
            self._events.put_nowait({"type": "websocket.receive", "bytes": frame})
        else:
            text = frame if isinstance(frame, str) else json.dumps(frame)
            self._events.put_nowait({"type": "websocket.receive", "text": text})

    async def ask(self, frame: Json | str | bytes) -> Json:
        """Send, and return the reply: the next frame that is no update."""
        before = len(self.sent)
        self.post(frame)
        await until(lambda: any(_is_reply(new) for new in self.sent[before:]))
        return next(new for new in self.sent[before:] if _is_reply(new))

    async def subscribe(self, route: str, /, since: int | None = None, **payload: object) -> Json:
        """Subscribe and return the reply."""
        frame: Json = {"type": f"{route}.subscribe", "payload": payload}
        return await self.ask(frame if since is None else {**frame, "since": since})

    async def unsubscribe(self, route: str, /, **payload: object) -> Json:
        """Unsubscribe and return the reply."""
        return await self.ask({"type": f"{route}.unsubscribe", "payload": payload})

    def hang_up(self) -> None:
        """Go, as a closed or broken connection does."""
        self._events.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def gone(self) -> None:
        """Wait until the server has noticed the end."""
        await asyncio.wait_for(asyncio.shield(self.task), 60)


@asynccontextmanager
async def clients(hub: Hub, count: int) -> AsyncIterator[list[FakeClient]]:
    """`count` clients; they hang up afterwards, and the hub is closed and must have nothing left."""
    found = [FakeClient(hub) for _ in range(count)]
    await settle()
    try:
        yield found
    finally:
        for client in found:
            client.hang_up()
        await asyncio.wait({client.task for client in found})
        await hub.close()
        assert_nothing_left(hub)


def assert_nothing_left(hub: Hub) -> None:
    """The hub holds no connection, topic or subscription, and no task runs but the test's."""
    now = hub.statistics()
    assert (now.connections, now.topics, now.subscriptions) == (0, 0, 0)
    assert now.topics_created == now.topics_removed
    assert hub.memory.used == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def settle(turns: int = 10) -> None:
    """Let everything run that can run now."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], timeout: float = 60.0) -> None:
    """Give the event loop turns until `condition` holds. Raises AssertionError when that takes `timeout` seconds."""
    deadline, turns = time.monotonic() + timeout, 0
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        # First what the loop alone does, then what waits for a thread.
        await asyncio.sleep(0 if turns < 1000 else 0.001)
        turns += 1


def _is_reply(frame: Json) -> bool:
    return not str(frame["type"]).endswith(".update")
