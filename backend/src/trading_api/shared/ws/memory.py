"""How much a hub keeps for its clients: one bound for all of them together."""

from trading_api.shared.ws.message import Message


class Memory:
    """Counts bytes. A message that waits in several places is there once, and counts once."""

    __slots__ = ("_most", "used")

    def __init__(self, most: int) -> None:
        self._most = most
        self.used = 0

    def reserve(self, size: int) -> bool:
        """Count `size` bytes; False, and nothing done, where that is too much."""
        if self.used + size > self._most:
            return False
        self.used += size
        return True

    def free(self, size: int) -> None:
        """Give back what was reserved."""
        self.used -= size

    def hold(self, message: Message) -> bool:
        """Keep `message` in one more place; False, and nothing done, where there is no room for it."""
        if not message.holders:
            used = self.used + message.size
            if used > self._most:
                return False
            self.used = used
        message.holders += 1
        return True

    def release(self, message: Message) -> None:
        """Keep it in one place less."""
        message.holders -= 1
        if not message.holders:
            self.used -= message.size
