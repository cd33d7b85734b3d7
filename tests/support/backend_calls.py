"""Calls an app in this process, without a server."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Send

Json = dict[str, Any]


def call(
    app: ASGIApp,
    path: str,
    method: str = "GET",
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | Sequence[bytes] = b"",
) -> httpx.Response:
    """The response of `app` to one request; a body in several parts is sent without a Content-Length."""

    async def parts() -> AsyncIterator[bytes]:
        for part in content:
            assert isinstance(part, bytes)
            yield part

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            body = content if isinstance(content, bytes) else parts()
            return await client.request(method, path, headers=headers, content=body or None)

    return asyncio.run(run())


def call_websocket(
    app: ASGIApp, path: str, received: Sequence[Message], headers: Mapping[str, str] | None = None
) -> list[Message]:
    """What `app` sends on a WebSocket on which it receives `received` and then, forever, a disconnect."""
    sent: list[Message] = []
    queue: list[Message] = [{"type": "websocket.connect"}, *received]

    async def receive() -> Message:
        return queue.pop(0) if queue else {"type": "websocket.disconnect", "code": 1005}

    async def send(message: Message) -> None:
        sent.append(message)

    encoded = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope: Json = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": encoded,
    }
    scope |= {"scheme": "ws", "subprotocols": [], "client": None, "server": None}
    run_app(app, scope, receive, send)
    return sent


def run_app(app: ASGIApp, scope: Json, receive: Receive, send: Send) -> None:
    """Run `app` for one connection, to its end."""

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
