"""The ASGI app at `/ws`."""

from starlette.types import Receive, Scope, Send

from trading_api.shared.users.identity import identity_of
from trading_api.shared.ws.hub import SERVICE_RESTART, Hub
from trading_api.shared.ws.sockets import SOCKET_EXTENSION, AsgiSocket, ClientSocket


class WsEndpoint:
    """Takes a WebSocket and hands it to the hub. Plain ASGI: what a connection is wrapped in, it pays for all along."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection to its end."""
        if scope["type"] != "websocket" or (await receive())["type"] != "websocket.connect":
            return
        if self._hub.closed:
            await send({"type": "websocket.close", "code": SERVICE_RESTART})
            return
        await send({"type": "websocket.accept"})
        extensions = scope.get("extensions") or {}
        socket: ClientSocket = extensions.get(SOCKET_EXTENSION) or AsgiSocket(send)
        await self._hub.serve(socket, receive, identity_of(scope))
