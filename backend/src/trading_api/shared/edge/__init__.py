"""What every request passes first, and once: its id, the net under it, the bound on its size. Plain ASGI, for speed."""

from starlette.types import ASGIApp

from trading_api.shared.edge.body_limit import DEFAULT_BODY_LIMIT, BodyLimit
from trading_api.shared.edge.error_boundary import ErrorBoundary
from trading_api.shared.edge.request_context import RequestContext

__all__ = ["DEFAULT_BODY_LIMIT", "BodyLimit", "ErrorBoundary", "RequestContext", "edge"]


def edge(app: ASGIApp, body_limit: int = DEFAULT_BODY_LIMIT) -> ASGIApp:
    """`app` behind the whole edge, outermost first: id, error boundary, size bound (`body_limit` bytes)."""
    return RequestContext(ErrorBoundary(BodyLimit(app, body_limit)))
