"""How much of one kind waits for a client: bounded in messages and in bytes."""

from trading_api.shared.ws.memory import Memory
from trading_api.shared.ws.message import Message


class Backlog:
    """Counts what waits; where it waits is its owner's business."""

    __slots__ = ("_bytes", "_items", "_memory", "_most_bytes", "_most_items")

    def __init__(self, items: int, size: int, memory: Memory) -> None:
        """At most `items` messages and `size` bytes; one message alone may be larger."""
        self._most_items = items
        self._most_bytes = size
        self._memory = memory
        self._items = 0
        self._bytes = 0

    def add(self, message: Message) -> bool:
        """Count one more; False, and nothing done, when it is one too many."""
        full = self._items >= self._most_items or self._bytes + message.size > self._most_bytes
        if (full and self._items) or not self._memory.hold(message):
            return False
        self._items += 1
        self._bytes += message.size
        return True

    def remove(self, message: Message) -> None:
        """Count one less."""
        self._memory.release(message)
        self._items -= 1
        self._bytes -= message.size

    def swap(self, old: Message, new: Message) -> bool:
        """Count `new` instead of `old`; False, and nothing done, when it is too large."""
        size = self._bytes - old.size + new.size
        if (size > self._most_bytes and self._items > 1) or not self._memory.hold(new):
            return False
        self._memory.release(old)
        self._bytes = size
        return True

    def is_half_empty(self) -> bool:
        """Whether at most half of either bound is taken; nothing at all counts as half empty."""
        return self._items <= self._most_items // 2 and (self._bytes <= self._most_bytes // 2 or not self._items)
