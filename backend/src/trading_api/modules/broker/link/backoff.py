"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Callable

SHORTEST_S = 0.1
LONGEST_S = 5.0


class Backoff:
    """Doubles the time up to a bound, drawing part of it: brokers that lost one datafeed do not come all at once."""

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        """`draw` gives a number from 0 to 1."""
        self._draw = draw
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait now."""
        # 2**16 is far beyond the bound; without it, the power would grow for as long as the datafeed is away.
        longest = min(LONGEST_S, SHORTEST_S * (1 << min(self._failures + 1, 16)))
        self._failures += 1
        return SHORTEST_S + (longest - SHORTEST_S) * self._draw()

    def reset(self) -> None:
        """The last attempt went well."""
        self._failures = 0
