"""What one connection is subscribed to, and how much more it may be."""

from trading_api.shared.ws.errors import RequestError
from trading_api.shared.ws.limits import WsLimits
from trading_api.shared.ws.topics import LiveTopic


class Holdings:
    """The claims of a connection on topics, by the topic's name; bounded in number, in keys and in bytes of names."""

    __slots__ = ("_bytes", "_held", "_keys", "_limits")

    def __init__(self, limits: WsLimits) -> None:
        self._limits = limits
        self._held: dict[str, LiveTopic] = {}
        self._keys = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def admit(self, name: str, keys: int) -> None:
        """Raises RequestError where one more, of `keys` keys, is too much."""
        limits, held, left = self._limits, len(self._held), self._limits.held_keys - self._keys
        if held >= limits.subscriptions:
            _refuse(f"This connection has {held} subscriptions, which is the most.")
        if keys > left:
            _refuse(f"All subscriptions of a connection may be of {limits.held_keys} keys: {keys} wanted, {left} left.")
        if self._bytes + len(name.encode()) > limits.held_bytes:
            _refuse(f"The topics of a connection may have names of {limits.held_bytes} bytes together.")

    def add(self, live: LiveTopic) -> None:
        """Take a claim."""
        # By the topic's own name, which is one string however many clients hold it.
        self._held[live.topic.name] = live
        self._keys += live.topic.keys
        self._bytes += live.topic.name_bytes

    def remove(self, name: str) -> LiveTopic | None:
        """Give a claim out of hand; None if there is none."""
        live = self._held.pop(name, None)
        if live is not None:
            self._keys -= live.topic.keys
            self._bytes -= live.topic.name_bytes
        return live

    def remove_any(self) -> LiveTopic:
        """The same with any of them. There must be one."""
        live = self.remove(next(reversed(self._held)))
        assert live is not None, "it was just there"
        return live


def _refuse(detail: str) -> None:
    raise RequestError("too_many_subscriptions", detail)
