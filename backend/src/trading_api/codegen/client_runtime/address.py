"""Where an API is: the URL of a server, the path before every API, and the prefix of this one."""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

_SOCKET_SCHEMES = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class Address:
    """The URL of one API, without a trailing slash, as in `http://127.0.0.1:8000/api/v1/broker`."""

    url: str

    def of(self, target: str) -> str:
        """The URL of a target below the API."""
        return self.url + target

    def socket(self, target: str) -> str:
        """The same with a WebSocket's scheme."""
        parts = urlsplit(self.of(target))
        return urlunsplit(parts._replace(scheme=_SOCKET_SCHEMES[parts.scheme]))


def address(base_url: str, api_base: str, prefix: str) -> Address:
    """Put the address together.

    Raises ValueError when `base_url` is not an HTTP URL, holds a query, or ends with a part of what is added to it.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in _SOCKET_SCHEMES or not parts.netloc:
        raise ValueError(f"{base_url!r} is not a URL of a server; write it as http://127.0.0.1:8000")
    if parts.query or parts.fragment:
        raise ValueError(f"{base_url!r} has a query or a fragment; name only the server and, if need be, a path")
    base = api_base.strip("/")
    added = (f"/{base}" if base else "") + prefix
    _refuse_twice(base_url, parts.path, added)
    return Address(base_url.rstrip("/") + added)


def _refuse_twice(base_url: str, path: str, added: str) -> None:
    """Raise ValueError when `path` ends as `added` begins, as that of `http://127.0.0.1:8000/api/v1` does."""
    own, more = path.strip("/").split("/"), added.strip("/").split("/")
    for count in range(min(len(own), len(more)), 0, -1):
        if own[-count:] == more[:count] != [""]:
            part = "/" + "/".join(more[:count])
            server = base_url.rstrip("/").removesuffix(part)
            raise ValueError(f"{base_url!r} ends with {part}, which the client adds itself; write {server!r}")
