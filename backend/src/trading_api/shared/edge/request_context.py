"""Gives every request its id, and sends it back."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trading_api.shared.request_id import HEADER, accept_request_id, request_id_var

_HEADER = HEADER.lower().encode()
# The messages that carry response headers: an HTTP answer, a WebSocket taken, a WebSocket refused with a body.
_WITH_HEADERS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


class RequestContext:
    """Takes the id a client or gateway sent, if it is fit, else makes one; logs and problems then find it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection under its id."""
        sent: bytes = dict(scope["headers"]).get(_HEADER, b"")
        request_id = accept_request_id(sent.decode("latin-1"))
        header = (_HEADER, request_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] in _WITH_HEADERS:
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        token = request_id_var.set(request_id)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            request_id_var.reset(token)
