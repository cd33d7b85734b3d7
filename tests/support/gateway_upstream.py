"""A server behind the gateway that does what a test says, and remembers what arrived, connection by connection."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from support.ports import free_block


@dataclass(frozen=True)
class Arrival:
    """A request as it reached the server. Header names are in lower case, in the order sent."""

    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str:
        """The only value of a header; empty when it is missing."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} arrived {len(values)} times"
        return values[0] if values else ""


Answer = bytes | Iterable[bytes] | None
"""What to send; piece by piece for an iterable; None breaks the connection."""
Handler = Callable[[Arrival], Answer]


def ok(body: bytes = b"{}", *headers: str, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """A whole answer with `Content-Length`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def breaks_off(begun: bytes = b"") -> Handler:
    """A handler that sends `begun` and then breaks the connection."""

    def handler(_: Arrival) -> Iterator[bytes]:
        yield begun
        raise ConnectionError

    return handler


@dataclass
class Upstream:
    """The state of a running server."""

    port: int
    handler: Handler
    arrivals: list[Arrival] = field(default_factory=list)
    connections: int = 0
    open: set[socket.socket] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def last(self) -> Arrival:
        return self.arrivals[-1]

    def serve(self, connection: socket.socket) -> None:
        """One connection, request after request."""
        with self.lock:
            self.connections += 1
            number = self.connections
            self.open.add(connection)
        # The gateway or the end of the test may break a connection at any moment.
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while (arrival := _read(number, stream)) is not None:
                with self.lock:
                    self.arrivals.append(arrival)
                if not _send(connection, self.handler(arrival)):
                    break
        with self.lock:
            self.open.discard(connection)

    @contextmanager
    def answering(self, handler: Handler) -> Iterator[None]:
        """Answer by `handler` inside the block."""
        former, self.handler = self.handler, handler
        try:
            yield
        finally:
            self.handler = former

    def break_connections(self) -> None:
        """Cut every open connection, as the death of the process would."""
        with self.lock:
            for connection in self.open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def upstream(handler: Handler = lambda _: ok(), *, port: int | None = None) -> Iterator[Upstream]:
    """A server on loopback until the end of the block."""
    state = Upstream(port or free_block(1), handler)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", state.port)))
        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=_accept, args=(listener, state, threads))
        accepting.start()
        try:
            yield state
        finally:
            _shut(listener)
            accepting.join(60)
            state.break_connections()
            for thread in threads:
                thread.join(60)


def _shut(listener: socket.socket) -> None:
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    # Where shutdown wakes no accept (macOS), a connection does.
    with suppress(OSError):
        socket.create_connection(listener.getsockname(), timeout=1).close()


def _accept(listener: socket.socket, state: Upstream, threads: list[threading.Thread]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            thread = threading.Thread(target=state.serve, args=(connection,))
            thread.start()
            threads.append(thread)


def _read(connection: int, stream: BinaryIO) -> Arrival | None:
    line = stream.readline().decode("latin-1").rstrip("\r\n")
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: list[tuple[str, str]] = []
    while text := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = text.partition(":")
        headers.append((name.lower(), value.strip()))
    return Arrival(connection, method, target, tuple(headers), _body(stream, dict(headers)))


def _body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(stream.readline().split(b";")[0], 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
        return body
    return stream.read(int(headers.get("content-length", "0")))


def _send(connection: socket.socket, answer: Answer) -> bool:
    """Whether the connection stays open."""
    if answer is None:
        return False
    for piece in [answer] if isinstance(answer, bytes) else answer:
        connection.sendall(piece)
    return True
