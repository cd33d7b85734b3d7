"""Free ports."""

import socket
from contextlib import ExitStack


def free_block(size: int) -> int:
    """The first of `size` ports in a row that were free a moment ago, outside the range the kernel hands out."""
    for first in _candidates(size):
        with ExitStack() as stack:
            try:
                for port in range(first, first + size):
                    stack.enter_context(_bound(port))
            except OSError:
                continue
            return first
    raise AssertionError(f"no {size} free ports in a row")


_next = [0]


def _candidates(size: int) -> range:
    # Each call goes on where the last one ended, so that two projects of one test never share a port.
    import os

    low, high = 20000, 32000
    start = low + (os.getpid() * 97 + _next[0]) % (high - low - 200)
    _next[0] += size
    return range(start, high - size, size)


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock
