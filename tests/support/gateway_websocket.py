"""A small real WebSocket server behind the gateway, and clients of it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.ports import free_block
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

SUBPROTOCOLS = [Subprotocol("trading.v2"), Subprotocol("trading.v1")]
MAX_BYTES = 8 * 1024**2


@dataclass
class Opened:
    """A handshake as it reached the server."""

    target: str
    request_id: str
    forwarded_for: str
    host: str


@dataclass
class SocketServer:
    """Echoes. The text `close 4001 because` has it close with that code and reason."""

    port: int
    opened: list[Opened] = field(default_factory=list)
    closed: list[int | None] = field(default_factory=list)

    def serve(self, connection: ServerConnection) -> None:
        """One connection, until either side closes it."""
        assert connection.request is not None
        headers = connection.request.headers
        names = ("X-Request-ID", "X-Forwarded-For", "Host")
        self.opened.append(Opened(connection.request.path, *(headers.get(name, "") for name in names)))
        try:
            self._echo(connection)
        except ConnectionClosed:
            pass
        finally:
            self.closed.append(connection.close_code)

    def _echo(self, connection: ServerConnection) -> None:
        for message in connection:
            if isinstance(message, str) and message.startswith("close "):
                _, code, reason = message.split(" ", 2)
                connection.close(int(code), reason)
            else:
                connection.send(message)


@contextmanager
def socket_server(port: int | None = None) -> Iterator[SocketServer]:
    """A WebSocket server on loopback until the end of the block."""
    state = SocketServer(port or free_block(1))
    server = serve(state.serve, "127.0.0.1", state.port, subprotocols=SUBPROTOCOLS, max_size=MAX_BYTES)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join(10)


@contextmanager
def opened(
    url: str, *, subprotocols: Sequence[str] = (), headers: dict[str, str] | None = None
) -> Iterator[ClientConnection]:
    """A client's connection. Raises websockets' InvalidStatus when the handshake is refused."""
    offered = [Subprotocol(name) for name in subprotocols] or None
    target = url.replace("http://", "ws://")
    with connect(
        target, subprotocols=offered, additional_headers=headers, proxy=None, max_size=MAX_BYTES, open_timeout=10
    ) as connection:
        yield connection
