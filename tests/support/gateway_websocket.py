"""A small real WebSocket server behind the gateway, and clients of it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.ports import free_block
from support.waiting import wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

SUBPROTOCOLS = [Subprotocol("trading.v2"), Subprotocol("trading.v1")]
MAX_BYTES = 8 * 1024**2


@dataclass
class Opened:
    """A connection as the server sees it: its handshake, and how it ended."""

    target: str
    request_id: str
    forwarded_for: str
    host: str
    ended: bool = False
    close_code: int | None = None


@dataclass
class SocketServer:
    """Echoes. The text `close 4001 because` has it close with that code and reason."""

    port: int
    opened: list[Opened] = field(default_factory=list)

    def latest(self, target: str) -> Opened:
        """The newest connection to `target`. The client knows of a handshake before the server's thread does."""
        found = wait_until(
            lambda: [seen for seen in self.opened if seen.target == target], what=f"a connection to {target}"
        )
        return found[-1]

    def ended(self, target: str) -> Opened:
        """The newest connection to `target`, once it has ended."""
        seen = self.latest(target)
        wait_until(lambda: seen.ended, what=f"the end of {target}")
        return seen

    def serve(self, connection: ServerConnection) -> None:
        """One connection, until either side closes it."""
        assert connection.request is not None
        headers = connection.request.headers
        request_id, forwarded_for = headers.get("X-Request-ID", ""), headers.get("X-Forwarded-For", "")
        seen = Opened(connection.request.path, request_id, forwarded_for, headers.get("Host", ""))
        self.opened.append(seen)
        try:
            self._echo(connection)
        except ConnectionClosed:
            pass
        finally:
            seen.ended, seen.close_code = True, connection.close_code

    def _echo(self, connection: ServerConnection) -> None:
        for message in connection:
            if isinstance(message, str) and message.startswith("close "):
                _, code, reason = message.split(" ", 2)
                connection.close(int(code), reason)
            else:
                connection.send(message)


def _select(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return next((name for name in SUBPROTOCOLS if name in offered), None)


@contextmanager
def socket_server(port: int | None = None) -> Iterator[SocketServer]:
    """A WebSocket server on loopback until the end of the block."""
    state = SocketServer(port or free_block(1))
    server = serve(state.serve, "127.0.0.1", state.port, select_subprotocol=_select, max_size=MAX_BYTES)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join(60)


@contextmanager
def opened(
    url: str, *, subprotocols: Sequence[str] = (), headers: dict[str, str] | None = None
) -> Iterator[ClientConnection]:
    """A client's connection. Raises websockets' InvalidStatus when the handshake is refused."""
    offered = [Subprotocol(name) for name in subprotocols] or None
    target = url.replace("http://", "ws://")
    with connect(
        target, subprotocols=offered, additional_headers=headers, proxy=None, max_size=MAX_BYTES, open_timeout=60
    ) as connection:
        yield connection
