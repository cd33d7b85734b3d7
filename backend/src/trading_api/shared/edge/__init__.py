"""What every request passes first, and once: its id, the net under it, the bound on its size. Plain ASGI, for speed."""

from starlette.types import ASGIApp

from trading_api.shared.edge.body_limit import BodyLimit
from trading_api.shared.edge.error_boundary import ErrorBoundary
from trading_api.shared.edge.request_context import RequestContext

__all__ = ["BodyLimit", "ErrorBoundary", "RequestContext", "edge"]


def edge(app: ASGIApp) -> ASGIApp:
    """`app` behind the whole edge, outermost first: id, error boundary, size bound."""
    return RequestContext(ErrorBoundary(BodyLimit(app)))
