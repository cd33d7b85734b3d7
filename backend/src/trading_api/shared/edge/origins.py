"""Which pages may talk to this server: the rule, and who is refused by it."""

import re
from collections.abc import Iterable, Sequence

from starlette.types import Receive, Scope, Send

from trading_api.settings import Settings
from trading_api.shared.edge.refusal import refuse

_DETAIL = (
    "This page's origin may not do that here. It must be the host it talks to, or be one of allowed_origins in the "
    "server's configuration."
)
_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
_OWN_PORTS = {"http": ":80", "https": ":443"}


class Origins:
    """The origins of pages (RFC 6454) that may call this server from a browser."""

    def __init__(self, allowed: Iterable[str] = (), *, loopback: bool = False) -> None:
        """`allowed` as browsers write them. `loopback`: pages served by the user's own machine, for development."""
        self._allowed = frozenset(allowed)
        self._loopback = loopback

    def includes(self, origin: str) -> bool:
        """Whether `origin` is one of those that are allowed beside the server's own."""
        return origin in self._allowed or (self._loopback and _LOOPBACK.fullmatch(origin) is not None)

    def allow(self, sent: Sequence[str], scope: Scope) -> bool:
        """Whether a request with these Origin headers may be served; there is one, unless somebody plays tricks."""
        return len(sent) == 1 and (self.includes(sent[0]) or _is_own(sent[0], scope))

    async def refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403: a WebSocket is refused with it at its handshake."""
        await refuse(scope, receive, send, 403, _DETAIL)


def origins_of(settings: Settings) -> Origins:
    """Those that `settings` allow. Where they name none and everybody is one user, it is development."""
    return Origins(settings.allowed_origins, loopback=not settings.allowed_origins and settings.users.mode == "none")


def origins_sent(scope: Scope) -> list[str]:
    """The values of the Origin headers; browsers send one with a WebSocket and with what changes something."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]


def _is_own(origin: str, scope: Scope) -> bool:
    """Whether the page came from the host that it asks now. A gateway passes on the Host that the browser sent.

    The scheme is not compared: where TLS ends before the gateway, nobody here knows it.
    """
    scheme, separator, authority = origin.partition("://")
    hosts: list[str] = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    if not separator or len(hosts) != 1 or scheme not in _OWN_PORTS:
        return False
    port = _OWN_PORTS[scheme]
    return authority.lower().removesuffix(port) == hosts[0].removesuffix(port)
