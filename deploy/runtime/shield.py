"""Work that an impatient Ctrl-C must not cut in half, because half of it is what nobody wants: stopping, going back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals that would end this command do nothing inside; what is inside must have a bound on its time.

    Outside the main thread, where signals never arrive, it changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A handler and not SIG_IGN, which programs started inside would inherit.
    former = {number: signal.signal(number, _ignore) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    """A second Ctrl-C: the first one is being served."""
