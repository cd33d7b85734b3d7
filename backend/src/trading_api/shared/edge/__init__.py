"""What every request passes first, and once: its id, the net under it, the bound on its size. Plain ASGI, for speed."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from trading_api.shared.edge.body_limit import DEFAULT_BODY_LIMIT, BodyLimit
from trading_api.shared.edge.browsers import BrowserCheck
from trading_api.shared.edge.error_boundary import ErrorBoundary
from trading_api.shared.edge.origins import Origins, origins_of
from trading_api.shared.edge.request_context import RequestContext

__all__ = [
    "DEFAULT_BODY_LIMIT",
    "BodyLimit",
    "BrowserCheck",
    "ErrorBoundary",
    "Origins",
    "RequestContext",
    "edge",
    "origins_of",
]


def edge(app: ASGIApp, body_limit: int = DEFAULT_BODY_LIMIT, origins: Origins | None = None) -> ASGIApp:
    """`app` behind the whole edge, outermost first: id, check of origins, error boundary, size bound in bytes.

    `origins` are those of pages elsewhere that are allowed; None: of no other.
    """
    inner = ErrorBoundary(BodyLimit(app, body_limit))
    plain = RequestContext(inner)
    browser = RequestContext(BrowserCheck(inner, origins or Origins()))

    def outer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Chosen here, in no coroutine of its own; a dict is the quickest look at headers, whatever they repeat.
        return (browser if b"origin" in dict(scope["headers"]) else plain)(scope, receive, send)

    return outer
