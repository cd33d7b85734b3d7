"""The net under every request: what nothing else caught is logged once, and answered."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from trading_api.shared.problems import problem_response

logger = logging.getLogger(__name__)

_DETAIL = "The server failed to answer; its log has the reason under this request id."
_STARTED = frozenset({"http.response.start", "websocket.close", "websocket.http.response.start"})
_WS_INTERNAL_ERROR = 1011


class ErrorBoundary:
    """Turns an unhandled exception into a log line with its traceback, and a 500 problem or a close with 1011."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; nothing but cancellation leaves here."""
        answered = False

        async def receive_watched() -> Message:
            nonlocal answered
            message = await receive()
            # A client that has gone needs no answer, and a WebSocket that is closed takes none.
            answered = answered or message["type"] == "websocket.disconnect"
            return message

        async def send_watched(message: Message) -> None:
            nonlocal answered
            answered = answered or message["type"] in _STARTED
            await send(message)

        try:
            await self.app(scope, receive_watched, send_watched)
        except WebSocketDisconnect:
            logger.debug("the client left %s", scope["path"])
        except Exception as error:  # The boundary of a request: the process goes on, whatever one request does.
            logger.error("unhandled error: %s %s", scope.get("method", "WEBSOCKET"), scope["path"], exc_info=error)
            if not answered:
                await _answer(scope, receive, send)


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _WS_INTERNAL_ERROR})
    else:
        await problem_response(scope, 500, _DETAIL)(scope, receive, send)
