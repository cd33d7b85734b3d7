"""Bounds how many messages a client may send."""

from collections.abc import Callable
from enum import Enum


class Verdict(Enum):
    """What becomes of a message."""

    TAKEN = "taken"
    REFUSED = "refused"
    FLOOD = "flood"
    """It went on after refusals: the connection is to be closed."""


class MessageRate:
    """A token bucket that may run into debt: in debt messages are refused, and beyond a second burst it is a flood."""

    __slots__ = ("_burst", "_clock", "_per_s", "_then", "_tokens")

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float]) -> None:
        """`clock` tells monotonic seconds."""
        self._per_s = per_s
        self._burst = float(burst)
        self._clock = clock
        self._tokens = self._burst
        self._then = clock()

    def judge(self) -> Verdict:
        """Count one message."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._then) * self._per_s) - 1
        self._then = now
        if self._tokens >= 0:
            return Verdict.TAKEN
        return Verdict.REFUSED if self._tokens > -self._burst else Verdict.FLOOD

    def give_back(self) -> None:
        """Do not count the last message after all: it is bounded by something else."""
        self._tokens += 1
