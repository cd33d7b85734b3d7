"""Plain sockets: what a client can send that no HTTP library would, and what comes back."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One HTTP answer as it came. Header names are in lower case; a repeated one keeps every value."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The only value of a header; empty when it is missing."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else ""

    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body.decode("utf-8"))
        return document


def connected(port: int, *, timeout: float = 60.0) -> socket.socket:
    """A connection to loopback; `timeout` in seconds bounds each call on it."""
    return socket.create_connection(("127.0.0.1", port), timeout)


def read_reply(connection: socket.socket) -> Reply:
    """Read one answer: its head, and as much body as Content-Length says. Status 0 when nothing came."""
    data = _until(connection, b"\r\n\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not head.startswith(b"HTTP/"):
        return Reply(0, (), data)
    pairs = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    length = int(dict(pairs).get("content-length", "0"))
    while len(body) < length and (more := _receive(connection)):
        body += more
    return Reply(int(lines[0].split()[1]), pairs, body[:length])


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    data = b""
    while more := _receive(connection):
        data += more
    return data


def _until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data and (more := _receive(connection)):
        data += more
    return data


def _receive(connection: socket.socket) -> bytes:
    with suppress(ConnectionError):
        return connection.recv(65536)
    return b""
