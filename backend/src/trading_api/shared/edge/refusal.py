"""Refuses a request before any app sees it, REST and WebSocket alike."""

from collections.abc import Mapping
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from trading_api.shared.problems import problem_response

_BODY_EXTENSION = "websocket.http.response"
_POLICY_VIOLATION = 1008


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a problem; a WebSocket is refused with it at its handshake, so that its client can read why.

    A client that has left meanwhile needs no answer.
    """
    if scope["type"] == "websocket":
        # ASGI: a server announces a client before it hears of it.
        await receive()
        if _BODY_EXTENSION not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": detail[:123]})
            return
    # ASGI: sending to a WebSocket that is gone is an OSError.
    with suppress(OSError):
        await problem_response(scope, status, detail, headers=headers)(scope, receive, send)
