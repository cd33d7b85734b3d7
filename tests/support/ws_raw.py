"""A WebSocket client on a bare socket: it does only what the test says, not even reading or answering pings."""

import json
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from websockets.frames import Frame, Opcode


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A client's frame on the wire."""
    return Frame(opcode, data, fin).serialize(mask=True)


class RawClient:
    """A connection after its handshake. `buffer` is the size of its receive buffer in bytes."""

    def __init__(self, port: int, path: str, *, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self._received = b""
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.send(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
        while b"\r\n\r\n" not in self._received:
            self._fill()
        answer, _, self._received = self._received.partition(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket without a word."""
        self.socket.close()

    def send(self, wire: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(wire)

    def send_json(self, value: object) -> None:
        """Send a text frame."""
        self.send(masked(Opcode.TEXT, json.dumps(value).encode()))

    def subscribe(self, route: str, symbol: str) -> None:
        """Subscribe, and read the reply."""
        self.subscribe_to({"symbol": symbol}, route)

    def subscribe_to(self, payload: object, route: str) -> None:
        """Subscribe with any payload, and read the reply."""
        self.send_json({"type": f"{route}.subscribe", "payload": payload})
        opcode, data = next(self.frames())
        assert opcode == Opcode.TEXT
        assert json.loads(data)["payload"]["status"] == "ok", data

    def frames(self) -> Iterator[tuple[Opcode, bytes]]:
        """The frames that come, until the other side closes the connection. None of the server's is masked."""
        while self._complete(2):
            opcode, length, start = Opcode(self._received[0] & 15), self._received[1] & 127, 2
            if length >= 126:
                start = 4 if length == 126 else 10
                self._complete(start)
                length = int.from_bytes(self._received[2:start], "big")
            if not self._complete(start + length):
                return
            data, self._received = self._received[start : start + length], self._received[start + length :]
            yield opcode, data

    def read_close(self) -> int:
        """Read to the close frame; returns its code."""
        data = next(data for opcode, data in self.frames() if opcode == Opcode.CLOSE)
        return int.from_bytes(data[:2], "big")

    def read_until(self, text: str) -> list[dict[str, Any]]:
        """Read to the text frame that holds `text`; returns all of them."""
        found = []
        for opcode, data in self.frames():
            if opcode == Opcode.TEXT:
                found.append(json.loads(data))
                if text in data.decode():
                    break
        return found

    def _complete(self, size: int) -> bool:
        while len(self._received) < size:
            if not self._fill():
                return False
        return True

    def _fill(self) -> bool:
        chunk = self.socket.recv(1 << 20)
        self._received += chunk
        return bool(chunk)
