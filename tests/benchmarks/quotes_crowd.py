"""Subscribers of quotes on bare sockets. Each pushed quote bears in its bid when it was pushed."""

import random
import re
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.ws_raw import RawClient

PATH = "/api/v1/datafeed/ws"
SYMBOLS_EACH = 10
_BID = re.compile(rb'"bid":([0-9.]+)')
# No frame is longer: one that is cut by the end of a chunk is completed by the next.
_LONGEST = 1200


def stamp() -> int:
    """Now, in tenths of a millisecond; as ticks of 0.01 it is a price."""
    return time.monotonic_ns() // 100_000


class QuoteCrowd:
    """Each of `count` clients streams ten of the symbols, drawn at random: as many topics as clients.

    They answer no pings, so the server lets them go after forty seconds.
    """

    def __init__(self, port: int, count: int, symbols: list[str]) -> None:
        draw = random.Random(1)
        self.wanted = dict.fromkeys(symbols, 0)
        self.clients = []
        self._selector = selectors.DefaultSelector()
        self._rests: dict[int, bytes] = {}
        for _ in range(count):
            chosen = draw.sample(symbols, SYMBOLS_EACH)
            for symbol in chosen:
                self.wanted[symbol] += 1
            client = RawClient(port, PATH)
            client.subscribe_to({"fast_symbols": chosen}, "quotes")
            client.socket.setblocking(False)
            self._selector.register(client.socket, selectors.EVENT_READ, client.socket)
            self.clients.append(client)

    def latencies(self, began: int, expected: int, quiet_s: float) -> list[float]:
        """Read updates of quotes pushed after `began` (a stamp) until all are there, or nothing comes for so long.

        The milliseconds that each was under way.
        """
        found: list[float] = []
        while len(found) < expected:
            events = self._selector.select(quiet_s)
            if not events:
                break
            for key, _ in events:
                chunk = key.data.recv(1 << 18)
                if not chunk:
                    raise RuntimeError("the server closed a connection")
                found.extend(self._read(key.fd, chunk, began))
        return found

    def _read(self, client: int, chunk: bytes, began: int) -> Iterator[float]:
        now = stamp()
        text = self._rests.get(client, b"") + chunk
        end = 0
        for match in _BID.finditer(text):
            # A number that ends with the chunk may go on in the next one.
            if match.end() == len(text):
                break
            end = match.end()
            pushed = round(float(match[1]) * 100)
            if pushed > began:
                yield (now - pushed) / 10
        self._rests[client] = text[max(end, len(text) - _LONGEST) :]

    def close(self) -> None:
        self._selector.close()
        for client in self.clients:
            client.close()


@contextmanager
def quote_crowd(port: int, count: int, symbols: list[str]) -> Iterator[QuoteCrowd]:
    """Subscribers until the end of the block."""
    found = QuoteCrowd(port, count, symbols)
    try:
        yield found
    finally:
        found.close()
