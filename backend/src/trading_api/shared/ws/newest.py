"""The newest update of each key of a topic, for subscribers to come."""

from collections.abc import Iterator

from trading_api.shared.ws.memory import Memory
from trading_api.shared.ws.message import Message


class Newest:
    """Bounded in keys and bytes: those that were updated longest ago make room for new ones."""

    __slots__ = ("_bytes", "_keys", "_memory", "_messages", "_most_bytes")

    def __init__(self, keys: int, size: int, memory: Memory) -> None:
        """At most `keys` updates of `size` bytes together; one alone may be larger."""
        self._keys = keys
        self._most_bytes = size
        self._memory = memory
        self._bytes = 0
        self._messages: dict[str, Message] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[tuple[str, Message]]:
        """Key and update, the one kept last at the end. A copy: it may change meanwhile."""
        return iter(tuple(self._messages.items()))

    def keep(self, key: str, message: Message) -> None:
        """Keep `message` instead of what was kept of `key`."""
        messages = self._messages
        old = messages.pop(key, None)
        if old is not None:
            self._give_up(old)
        while messages and (len(messages) >= self._keys or self._bytes + message.size > self._most_bytes):
            self._give_up(messages.pop(next(iter(messages))))
        if self._memory.hold(message):
            messages[key] = message
            self._bytes += message.size

    def clear(self) -> None:
        """Keep nothing."""
        for message in self._messages.values():
            self._give_up(message)
        self._messages.clear()

    def _give_up(self, message: Message) -> None:
        self._bytes -= message.size
        self._memory.release(message)
