"""What waits for one client: bounded, in order, with conflated updates replaced in their place."""

import asyncio
from collections import deque

from trading_api.shared.ws.limits import WsLimits
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.sockets import ClientSocket


class Slot:
    """A place in the queue that holds the newest update of one key until the client can take it."""

    __slots__ = ("_key", "_slots", "message")

    def __init__(self, message: Message, slots: "dict[str, Slot]", key: str) -> None:
        self.message = message
        self._slots = slots
        self._key = key

    def take(self) -> Message:
        """The newest update; the next one of its key gets a place of its own."""
        del self._slots[self._key]
        return self.message


class Outbox:
    """Writes to `socket` what it takes, and queues the rest. Never waits but in `room`."""

    __slots__ = ("_closed", "_limits", "_plain", "_queue", "_room", "_slots", "_socket")

    def __init__(self, socket: ClientSocket, limits: WsLimits) -> None:
        self._socket = socket
        self._limits = limits
        self._queue: deque[Message | Slot] = deque()
        self._plain = 0
        self._slots = 0
        self._closed = False
        self._room: asyncio.Event | None = None
        socket.attach(self.flush)

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, message: Message) -> bool:
        """Send `message` after what already waits; False, and nothing done, when the queue is full."""
        if self._closed:
            return True
        if not self._queue and self._socket.writable:
            self._socket.write(message)
            return True
        if self._plain >= self._limits.queue:
            return False
        self._queue.append(message)
        self._plain += 1
        return True

    def put_newest(self, message: Message, slots: dict[str, Slot], key: str) -> bool:
        """Send `message`, or replace the one of the same key that waits. `slots` are the places of one subscription.

        False, and nothing done, when there are too many keys.
        """
        if self._closed:
            return True
        if not self._queue and self._socket.writable:
            self._socket.write(message)
            return True
        if self._slots >= self._limits.conflated:
            return False
        slot = slots[key] = Slot(message, slots, key)
        self._queue.append(slot)
        self._slots += 1
        return True

    def flush(self) -> None:
        """Write what waits for as long as the socket takes it."""
        while self._queue and self._socket.writable:
            self._socket.write(self._take())
        if self._room is not None and self._has_room():
            self._room.set()

    def close(self) -> None:
        """Forget what waits and what is still to come: the client is not to have it any more."""
        self._closed = True
        while self._queue:
            self._take()
        self.flush()

    async def room(self) -> None:
        """Wait until the queue is at most half full, conflated updates not counted."""
        while not self._has_room():
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()

    def _has_room(self) -> bool:
        return self._plain <= self._limits.queue // 2

    def _take(self) -> Message:
        entry = self._queue.popleft()
        if isinstance(entry, Slot):
            self._slots -= 1
            return entry.take()
        self._plain -= 1
        return entry
