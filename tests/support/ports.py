"""Free ports."""

import os
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
_LOW, _SPAN, _SHARES = 20000, 3000, 4


def _candidates(size: int) -> range:
    """Each call goes on where the last one ended, so that two projects of one test never share a port.

    Each worker of a parallel run has its own share of the ports.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    low = _LOW + worker % _SHARES * _SPAN
    start = low + (os.getpid() * 97 + _next[0]) % (_SPAN - 200)
    _next[0] += size
    return range(start, low + _SPAN - size, size)


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock
