"""The listening address of a server process."""

import errno
import socket


class AddressError(Exception):
    """An address that cannot be listened on; the message says which, why, and what to do."""


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not listening yet: until then, connecting is refused. Port 0 takes a free one.

    Raises AddressError.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressError(f"cannot listen on {host!r}: {error.strerror or error}; check --host") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise AddressError(_explain(error, host, port)) from error
    return bound


def local_url_of(bound: socket.socket) -> str:
    """The URL under which this machine reaches a bound socket: "every interface" is reached over loopback."""
    host, port = bound.getsockname()[:2]
    return _url({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104 - compared, not bound


def url_of(bound: socket.socket) -> str:
    """The URL of the address a socket is bound to."""
    host, port = bound.getsockname()[:2]
    return _url(host, port)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another process; stop that one, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs privileges; choose one from 1024 on with --port"
    return f"cannot listen on {host} port {port}: {error.strerror}; check --host and --port"
