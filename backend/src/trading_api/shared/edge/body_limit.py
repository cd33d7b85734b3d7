"""Bounds the size of request bodies, also where no gateway stands in front."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trading_api.shared.problems import ProblemError, problem_response

MAX_BODY_BYTES = 1_000_000
_DETAIL = f"The request body is larger than {MAX_BODY_BYTES} bytes, which is the most that is taken."
# What is left of the body is not read, so the connection cannot serve another request.
_HEADERS = {"Connection": "close"}


class BodyLimit:
    """Refuses a body that says it is too large before reading it, and one that turns out to be while reading."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; 413 is sent here, or raised as an HTTPException from `receive`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _declared_size(scope) > MAX_BODY_BYTES:
            await problem_response(scope, 413, _DETAIL, headers=_HEADERS)(scope, receive, send)
        else:
            await self.app(scope, _counting(receive), send)


def _declared_size(scope: Scope) -> int:
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    # A number with more digits than any size is compared by its length first: int() of it could be slow.
    return int(value[:20]) if value.isdigit() else 0


def _counting(receive: Receive) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            raise ProblemError(413, _DETAIL, headers=_HEADERS)
        return message

    return counted
