"""Ends what a token has opened when the token expires."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# The clock of a loop may stand still while the machine sleeps, and the wall clock may be set: look again this often.
_LOOK_S = 60.0


@contextmanager
def closed_at(
    expires_s: float | None, close: Callable[[], None], clock: Callable[[], float] = time.time
) -> Iterator[None]:
    """Call `close` once at `expires_s`, seconds of the epoch as `clock` tells them, unless the block ends before."""
    if expires_s is None:
        yield
        return
    loop = asyncio.get_running_loop()
    timer: asyncio.Handle

    def look() -> None:
        nonlocal timer
        left = expires_s - clock()
        if left <= 0:
            close()
        else:
            timer = loop.call_later(min(left, _LOOK_S), look)

    timer = loop.call_soon(look)
    try:
        yield
    finally:
        timer.cancel()
