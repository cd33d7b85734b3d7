"""The standard output of a command, which its reader may close before it has seen everything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def discard_output() -> None:
    """After a BrokenPipeError: what is still buffered goes nowhere, so that nothing fails at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Print within it: a reader that has seen enough, as `head` has, is no failure of what is told."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
