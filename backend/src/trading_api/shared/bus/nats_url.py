"""The addresses of NATS servers."""

from urllib.parse import urlsplit

from trading_api.shared.bus.errors import BusUrlError

_DEFAULT_PORT = 4222


def read_urls(text: str) -> tuple[str, ...]:
    """`nats://host:port` of each server in a list with commas; `tls://` where the connection must be encrypted.

    Raises BusUrlError, which repeats nothing of a URL that holds a password.

    >>> read_urls("nats://127.0.0.1, tls://bus.example:4333")
    ('nats://127.0.0.1:4222', 'tls://bus.example:4333')
    """
    return tuple(_read(part.strip()) for part in text.split(","))


def _read(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError:
        raise BusUrlError("the URL of the bus is not one; write it as nats://127.0.0.1:4222") from None
    if "@" in parts.netloc:
        raise BusUrlError(
            "the URL of the bus holds a user or a password; put a token into TRADING_BUS_TOKEN_FILE instead"
        )
    if parts.scheme not in ("nats", "tls") or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise BusUrlError(f"{url!r} is not the URL of a bus; write it as nats://127.0.0.1:4222")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
