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
    """The waiting of one client: longer with every failure, anew after a connection that lasted.

    Patience is that with a server that has subscribed something; a first subscription has its own.
    """

    def __init__(self, policy: StreamPolicy, dice: Dice, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._dice = dice
        self._monotonic = monotonic
        self._failures = 0
        self._without_since: float | None = None
        self._connected_at: float | None = None

    def connected(self) -> None:
        """A connection is open."""
        self._connected_at = self._monotonic()

    def delay(self, lost: ConnectionLost, *, served: bool = False) -> float:
        """The seconds to wait now that `lost` has happened. Raises TransportError when patience is at an end.

        `served`: the server had subscribed something on that connection. One that only lets connect is of no use.
        """
        now = self._monotonic()
        if self._connected_at is not None:
            self._ended(now, self._connected_at, lost.code)
        if served:
            self._without_since = now
        else:
            self._keep_patience(now, lost)
        ceiling = self._policy.ceiling(self._failures)
        self._failures += 1
        return self._dice.uniform(0, ceiling)

    def _keep_patience(self, now: float, lost: ConnectionLost) -> None:
        patience, since = self._policy.give_up_after, self._without_since
        if patience is not None and since is not None and now - since >= patience:
            raise TransportError("stream", f"no connection for {patience:g} s: {lost}") from lost

    def _ended(self, now: float, begun: float, code: int) -> None:
        self._connected_at = None
        if now - begun >= self._policy.longest:
            self._failures = 0
        if code == POLICY_VIOLATION:
            self._failures = max(self._failures, _PENALTY)
