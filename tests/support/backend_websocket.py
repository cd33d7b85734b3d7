"""Holds a WebSocket conversation with an app in this process, without a server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

Json = dict[str, Any]
PATIENCE_S = 60.0


class WebSocketClient:
    """The client's end of an open WebSocket that carries JSON texts."""

    def __init__(self) -> None:
        self.to_app: asyncio.Queue[Message] = asyncio.Queue()
        self.from_app: asyncio.Queue[Message] = asyncio.Queue()

    def send(self, frame: Json) -> None:
        """Send one frame."""
        self.to_app.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    async def receive(self) -> Json:
        """The next frame. Raises TimeoutError when none comes."""
        message = await self.next_message("websocket.send")
        text = message.get("text")
        frame: Json = json.loads(message["bytes"] if text is None else text)
        return frame

    async def next_message(self, kind: str) -> Message:
        """The next thing the app says, which must be of this kind."""
        message = await asyncio.wait_for(self.from_app.get(), PATIENCE_S)
        assert message["type"] == kind, message
        return message


@asynccontextmanager
async def websocket(app: ASGIApp, path: str) -> AsyncIterator[WebSocketClient]:
    """An accepted WebSocket at `path`; the client goes away at the end, and the app is done with it."""
    client = WebSocketClient()
    scope: Json = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
    scope |= {"scheme": "ws", "subprotocols": [], "client": None, "server": None}
    client.to_app.put_nowait({"type": "websocket.connect"})
    served = asyncio.create_task(_serve(app, scope, client))
    try:
        await client.next_message("websocket.accept")
        yield client
    finally:
        client.to_app.put_nowait({"type": "websocket.disconnect", "code": 1005})
        await asyncio.wait_for(served, PATIENCE_S)


async def _serve(app: ASGIApp, scope: Json, client: WebSocketClient) -> None:
    await app(scope, client.to_app.get, client.from_app.put)
