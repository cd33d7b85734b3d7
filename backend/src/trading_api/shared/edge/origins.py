"""Which pages may talk to this server: the rule, and who is refused by it."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from starlette.types import Receive, Scope, Send

from trading_api.settings import Settings
from trading_api.shared.edge.refusal import refuse

_DETAIL = (
    "This page's origin may not do that here. Add it to allowed_origins in the server's configuration, or open the "
    "page from the host that it talks to"
)
# Any other name could be made to lead here by whoever owns it.
_NO_NAMES = " as localhost or by its IP address (with users.mode none no other name counts)"
_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
_OWN_PORTS = {"http": ":80", "https": ":443"}


class Origins:
    """The origins of pages (RFC 6454) that may call this server from a browser."""

    def __init__(self, allowed: Iterable[str] = (), *, loopback: bool = False, names: bool = True) -> None:
        """`allowed` as browsers write them. `loopback`: pages served by the user's own machine, for development.

        `names`: a page is the server's own under any name of it.
        """
        self._allowed = frozenset(allowed)
        self._loopback = loopback
        self._names = names

    def without_names(self) -> "Origins":
        """The same, but pages of the server's own host only where that is localhost or an IP address.

        For where nobody proves who they are: whoever owns a name can make it lead here (DNS rebinding), and then the
        page's Origin and Host are the same.
        """
        return Origins(self._allowed, loopback=self._loopback, names=False)

    def includes(self, origin: str) -> bool:
        """Whether `origin` is one of those that are allowed beside the server's own."""
        return origin in self._allowed or (self._loopback and _LOOPBACK.fullmatch(origin) is not None)

    def allow(self, sent: Sequence[str], scope: Scope) -> bool:
        """Whether a request with these Origin headers may be served; there is one, unless somebody plays tricks."""
        return len(sent) == 1 and (self.includes(sent[0]) or self._is_own(sent[0], scope))

    async def refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403: a WebSocket is refused with it at its handshake."""
        await refuse(scope, receive, send, 403, f"{_DETAIL}{'' if self._names else _NO_NAMES}.")

    def _is_own(self, origin: str, scope: Scope) -> bool:
        return _is_same_host(origin, scope) and (self._names or _needs_no_name(origin))


def origins_of(settings: Settings) -> Origins:
    """Those that `settings` allow. Where they name none and everybody is one user, it is development."""
    return Origins(settings.allowed_origins, loopback=not settings.allowed_origins and settings.users.mode == "none")


def origins_sent(scope: Scope) -> list[str]:
    """The values of the Origin headers; browsers send one with a WebSocket and with what changes something."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]


def _is_same_host(origin: str, scope: Scope) -> bool:
    """Whether the page came from the host that it asks now. A gateway passes on the Host that the browser sent.

    The scheme is not compared: where TLS ends before the gateway, nobody here knows it.
    """
    scheme, separator, authority = origin.partition("://")
    hosts: list[str] = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    if not separator or len(hosts) != 1 or scheme not in _OWN_PORTS:
        return False
    port = _OWN_PORTS[scheme]
    return authority.lower().removesuffix(port) == hosts[0].removesuffix(port)


def _needs_no_name(origin: str) -> bool:
    """Whether the host of `origin` is an address, or the machine's own name (RFC 6761, 6.3), which nobody can own."""
    authority = origin.partition("://")[2].lower()
    host = re.sub(r":[0-9]+$", "", authority)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
