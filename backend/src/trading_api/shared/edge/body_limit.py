"""Bounds the size of request bodies, also where no gateway stands in front."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trading_api.shared.problems import ProblemError, problem_response

DEFAULT_BODY_LIMIT = 1024 * 1024
"""Bytes. What the gateway takes by default as well."""
# What is left of the body is not read, so the connection cannot serve another request.
_HEADERS = {"Connection": "close"}


class BodyLimit:
    """Refuses a body that says it is too large before reading it, and one that turns out to be while reading.

    `limit` is the most bytes that are taken.
    """

    def __init__(self, app: ASGIApp, limit: int = DEFAULT_BODY_LIMIT) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; 413 is sent here, or raised as an HTTPException from `receive`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _declared_size(scope) > self.limit:
            await problem_response(scope, 413, _detail(self.limit), headers=_HEADERS)(scope, receive, send)
        else:
            await self.app(scope, _counting(receive, self.limit), send)


def _detail(limit: int) -> str:
    return f"The request body is larger than {limit} bytes, which is the most that is taken."


def _declared_size(scope: Scope) -> int:
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    # A number with more digits than any size is compared by its length first: int() of it could be slow.
    return int(value[:20]) if value.isdigit() else 0


def _counting(receive: Receive, limit: int) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise ProblemError(413, _detail(limit), headers=_HEADERS)
        return message

    return counted
