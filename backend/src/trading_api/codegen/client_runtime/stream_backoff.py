"""How long to wait before the next connection, and when to give up."""

import time
from collections.abc import Callable

from .errors import TransportError
from .retry import Dice
from .stream_route import StreamPolicy
from .stream_socket import POLICY_VIOLATION, ConnectionLost

# After a close for breaking the server's rules, the next attempt waits as if so many had failed.
_PENALTY = 4


class Backoff:
    """The waiting of one client: longer with every failure, anew after a connection that lasted."""

    def __init__(self, policy: StreamPolicy, dice: Dice, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._dice = dice
        self._monotonic = monotonic
        self._failures = 0
        self._patience: float | None = policy.first_connect
        self._without_since = monotonic()
        self._connected_at: float | None = None

    def connected(self) -> None:
        """A connection is open."""
        self._connected_at = self._monotonic()

    def delay(self, lost: ConnectionLost) -> float:
        """The seconds to wait now that `lost` has happened. Raises TransportError when patience is at an end."""
        now = self._monotonic()
        if self._connected_at is not None:
            self._ended(now, self._connected_at, lost.code)
        elif self._patience is not None and now - self._without_since >= self._patience:
            raise TransportError("stream", f"no connection for {self._patience:g} s: {lost}") from lost
        ceiling = self._policy.ceiling(self._failures)
        self._failures += 1
        return self._dice.uniform(0, ceiling)

    def _ended(self, now: float, begun: float, code: int) -> None:
        self._connected_at, self._without_since, self._patience = None, now, self._policy.give_up_after
        if now - begun >= self._policy.longest:
            self._failures = 0
        if code == POLICY_VIOLATION:
            self._failures = max(self._failures, _PENALTY)
