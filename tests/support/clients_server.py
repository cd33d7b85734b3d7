"""A WebSocket server that plays a script: it answers subscriptions, and does to its clients what a test tells it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Json = dict[str, Any]
Answer = Callable[[Json], Json | None]
ORDERS = 'orders:{"accountId":"A"}'


class ScriptedServer:
    """Keeps every frame of every connection. `answer` makes the reply to a frame; None says nothing."""

    def __init__(self) -> None:
        self.answer: Answer = acknowledge
        self.refuse_with: HTTPStatus | None = None
        self.frames: list[list[Json]] = []
        self.connections: list[ServerConnection] = []
        self.changed = asyncio.Condition()
        self.server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    port: int = 0

    async def start(self) -> None:
        """Listen, on the same port as before where there was one."""
        # Without pings of its own, so that the only keepalive task is a client's.
        self.server = await serve(self._serve, "127.0.0.1", self.port, process_request=self._admit, ping_interval=None)
        self.port = next(iter(self.server.sockets)).getsockname()[1]

    async def stop(self, code: int = 1012, reason: str = "restart") -> None:
        """Close the listener and every connection with `code`."""
        assert self.server is not None
        self.server.close(close_connections=False)
        for connection in self.connections:
            await connection.close(code, reason)
        await self.server.wait_closed()

    async def wait(self, condition: Callable[[], Any]) -> Any:
        """The first truthy value of `condition`, looked at whenever something was said."""
        async with asyncio.timeout(60), self.changed:
            return await self.changed.wait_for(condition)

    async def update(self, data: object, *, topic: str = ORDERS, seq: int | None = None) -> None:
        """Send an update on the newest connection."""
        route = topic.partition(":")[0]
        frame: Json = {"type": f"{route}.update", "payload": {"topic": topic, "payload": data}}
        await self.connections[-1].send(json.dumps(frame if seq is None else {**frame, "seq": seq}))

    async def wait_frames(self, count: int, connection: int = 0) -> list[Json]:
        """The frames of a connection, counted from the first, once there are `count` of them."""
        await self.wait(lambda: len(self.frames) > connection and len(self.frames[connection]) >= count)
        return self.frames[connection]

    def _admit(self, connection: ServerConnection, _request: Request) -> Response | None:
        return None if self.refuse_with is None else connection.respond(self.refuse_with, "")

    async def _serve(self, connection: ServerConnection) -> None:
        frames: list[Json] = []
        async with self.changed:
            self.connections.append(connection)
            self.frames.append(frames)
            self.changed.notify_all()
        try:
            async for text in connection:
                await self._reply(connection, frames, json.loads(text))
        finally:
            async with self.changed:
                self.changed.notify_all()

    async def _reply(self, connection: ServerConnection, frames: list[Json], frame: Json) -> None:
        reply = self.answer(frame)
        if reply is not None:
            # A client that unsubscribes its last topic does not wait for the answer.
            with suppress(ConnectionClosed):
                await connection.send(json.dumps(reply))
        async with self.changed:
            frames.append(frame)
            self.changed.notify_all()


def topic_of(frame: Json) -> str:
    route = frame["type"].partition(".")[0]
    return f"{route}:{json.dumps(frame['payload'], separators=(',', ':'), sort_keys=True)}"


def acknowledge(frame: Json) -> Json:
    payload = {"status": "ok", "message": "Subscribed", "topic": topic_of(frame)}
    return {"type": f"{frame['type']}.response", "payload": payload, "id": frame["id"]}


def refuse(code: str, detail: str = "no") -> Answer:
    return lambda frame: {"type": "error", "payload": {"code": code, "detail": detail}, "id": frame["id"]}


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop(1001, "")
