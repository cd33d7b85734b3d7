"""What requests of browser pages pass beside the rest of the edge; other requests carry no Origin and pass nothing."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from trading_api.shared.edge.origins import Origins, origins_sent

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_READABLE = ("X-Request-ID", "WWW-Authenticate", "Retry-After")


class BrowserCheck:
    """For requests with an Origin header: a WebSocket of a foreign page is refused, an allowed page may read (CORS).

    REST of other pages is served without CORS headers: browsers then keep the answer from the page. Whether such a
    page may change something is decided where the user is known (`UserGate`).
    """

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins
        # Which origins are allowed is decided here, hence any that comes there.
        self._cors = CORSMiddleware(
            app,
            allow_origin_regex=".*",
            allow_credentials=True,
            allow_methods=_METHODS,
            allow_headers=("*",),
            expose_headers=_READABLE,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection that has an Origin."""
        sent = origins_sent(scope)
        if scope["type"] == "websocket" and not self._origins.allow(sent, scope):
            await self._origins.refuse(scope, receive, send)
        elif len(sent) == 1 and self._origins.includes(sent[0]):
            await self._cors(scope, receive, send)
        else:
            await self._app(scope, receive, send)
