"""Many WebSocket clients in one thread that do as little as clients can: bare sockets whose bytes are counted."""

import re
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.ws_raw import RawClient

PATH = "/api/v1/broker/ws"
_SENT = re.compile(rb'"t":(\d+)')


class Crowd:
    """`count` subscribers of one topic."""

    def __init__(self, port: int, count: int, buffer: int | None = None) -> None:
        self.clients = [subscriber(port, buffer) for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        for client in self.clients:
            client.socket.setblocking(False)
            self._selector.register(client.socket, selectors.EVENT_READ, client.socket.recv_into)
        self._buffer = bytearray(1 << 18)

    def count_bytes(self, expected: int) -> None:
        """Read until `expected` bytes have come in all."""
        received = 0
        while received < expected:
            events = self._selector.select(10)
            if not events:
                raise RuntimeError(f"only {received} of {expected} bytes came")
            for key, _ in events:
                size = key.data(self._buffer)
                if not size:
                    raise RuntimeError("the server closed a connection")
                received += size

    def latencies(self, expected: int, began: int) -> list[float]:
        """Read `expected` updates sent after `began` (ns, monotonic); the seconds that each was under way."""
        found: list[float] = []
        while len(found) < expected:
            events = self._selector.select(10)
            if not events:
                raise RuntimeError(f"only {len(found)} of {expected} updates came")
            for key, _ in events:
                size = key.data(self._buffer)
                now = time.monotonic_ns()
                sent = map(int, _SENT.findall(self._buffer[:size]))
                found.extend((now - when) / 1e9 for when in sent if when > began)
        return found

    def close(self) -> None:
        self._selector.close()
        for client in self.clients:
            client.close()


def subscriber(port: int, buffer: int | None = None) -> RawClient:
    """A client that has its reply. The first may also have been sent the newest update of before."""
    client = RawClient(port, PATH, buffer=buffer)
    client.subscribe_to({"name": "x"}, "orders")
    return client


@contextmanager
def crowd(port: int, count: int) -> Iterator[Crowd]:
    """Subscribers until the end of the block."""
    found = Crowd(port, count)
    try:
        yield found
    finally:
        found.close()
