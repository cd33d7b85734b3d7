"""The gate of a module that needs a user: everything passes it before the module sees anything (plain ASGI)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from trading_api.shared.edge.origins import Origins, origins_sent
from trading_api.shared.edge.refusal import refuse
from trading_api.shared.users.credentials import token_of
from trading_api.shared.users.errors import TokenRefused
from trading_api.shared.users.identity import Identity, identify
from trading_api.shared.users.user import DEFAULT_USER
from trading_api.shared.users.verifier import Verifier
from trading_api.user_settings import UserSettings

# What tells nothing of any user: a module's state, its versions, its documents.
_OPEN = frozenset(
    {"/health", "/version", "/versions", "/openapi.json", "/docs", "/docs/", "/ws/asyncapi.json", "/ws/docs"}
)
_OPEN_FOLDER = "/docs/"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ANYBODY = Identity(DEFAULT_USER)


class UserGate:
    """Asks for a user, REST and WebSocket alike, and notes who it is: `user_of(scope)`.

    401 where nobody proves who they are; 403 where a page of an origin that is not allowed would change or stream
    something in the name of a user whose browser shows the proof by itself (CSRF).
    """

    def __init__(self, app: ASGIApp, verifier: Verifier | None, origins: Origins) -> None:
        """Without a `verifier` everybody is the default user, and a page is not trusted for the name of its host."""
        self._app = app
        self._verifier = verifier
        self._origins = origins if verifier else origins.without_names()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or refuse it."""
        path = _path(scope)
        if path in _OPEN or path.startswith(_OPEN_FOLDER):
            await self._app(scope, receive, send)
            return
        try:
            identity = self._identity(scope)
        except TokenRefused as refused:
            await _refuse(scope, receive, send, refused)
            return
        if identity.ambient and self._is_foreign(scope):
            await self._origins.refuse(scope, receive, send)
            return
        identify(scope, identity)
        await self._app(scope, receive, send)

    def _identity(self, scope: Scope) -> Identity:
        if self._verifier is None:
            return _ANYBODY
        token, by_cookie = token_of(scope)
        claims = self._verifier.check(token)
        return Identity(claims.user, claims.expires_s, by_cookie)

    def _is_foreign(self, scope: Scope) -> bool:
        # The origins of WebSockets are checked for every module (`BrowserCheck`), but with the names of hosts.
        if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            return False
        sent = origins_sent(scope)
        return bool(sent) and not self._origins.allow(sent, scope)


def make_verifier(settings: UserSettings) -> Verifier | None:
    """What checks tokens as `settings` say; None where nobody has to prove who they are. Raises KeyUnusable."""
    return Verifier(settings) if settings.mode == "jwt" else None


def _path(scope: Scope) -> str:
    """The path below the module's own, exactly as the router will see it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if path.startswith(f"{root}/") else path


async def _refuse(scope: Scope, receive: Receive, send: Send, refused: TokenRefused) -> None:
    # RFC 6750, 3: who showed no token at all is told no error.
    challenge = "Bearer" if refused.missing else 'Bearer error="invalid_token"'
    await refuse(scope, receive, send, 401, refused.reason, {"WWW-Authenticate": challenge})
