"""What waits for one client: bounded, in order, with conflated updates replaced in their place."""

import asyncio
from collections import OrderedDict, deque

from trading_api.shared.ws.backlog import Backlog
from trading_api.shared.ws.limits import WsLimits
from trading_api.shared.ws.memory import Memory
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.sockets import ClientSocket


class Waiting:
    """The updates of one conflating subscription that wait, the newest of each key, in the order of their first."""

    __slots__ = ("messages",)

    def __init__(self) -> None:
        # Not a dict, whose first item takes the longer to find the more were taken before.
        self.messages: OrderedDict[str, Message] = OrderedDict()


class Outbox:
    """Writes to `socket` what it takes, and queues the rest. Never waits but in `room`.

    A conflating subscription has one place in the queue, from which it sends one update at each turn.
    """

    __slots__ = ("_closed", "_conflated", "_plain", "_queue", "_room", "_socket")

    def __init__(self, socket: ClientSocket, limits: WsLimits, memory: Memory) -> None:
        self._socket = socket
        self._queue: deque[Message | Waiting] = deque()
        self._plain = Backlog(limits.queue, limits.queue_bytes, memory)
        self._conflated = Backlog(limits.conflated, limits.queue_bytes, memory)
        self._closed = False
        self._room: asyncio.Event | None = None
        socket.attach(self.flush)

    def __len__(self) -> int:
        return sum(1 if isinstance(entry, Message) else len(entry.messages) for entry in self._queue)

    def put(self, message: Message) -> bool:
        """Send `message` after what already waits; False, and nothing done, when the queue is full."""
        if self._closed:
            return True
        if not self._queue and self._socket.writable:
            self._socket.write(message)
            return True
        if not self._plain.add(message):
            return False
        self._queue.append(message)
        return True

    def put_newest(self, message: Message, waiting: Waiting, key: str) -> bool:
        """Send `message`; while it waits, in `waiting`, a newer one of its key may take its place: `replace`.

        False, and nothing done, when too much waits.
        """
        if self._closed:
            return True
        if not self._queue and self._socket.writable:
            self._socket.write(message)
            return True
        if not self._conflated.add(message):
            return False
        if not waiting.messages:
            self._queue.append(waiting)
        waiting.messages[key] = message
        return True

    def replace(self, message: Message, waiting: Waiting, key: str) -> bool:
        """Let `message` wait in the place of the one of its key; False, and nothing done, when too much waits."""
        if not self._conflated.swap(waiting.messages[key], message):
            return False
        waiting.messages[key] = message
        return True

    def withdraw(self, waiting: Waiting) -> None:
        """Forget what waits of one subscription."""
        if waiting.messages:
            self._queue.remove(waiting)
            self._forget(waiting)

    def flush(self) -> None:
        """Write what waits for as long as the socket takes it."""
        while self._queue and self._socket.writable:
            self._socket.write(self._take())
        if self._room is not None and self._plain.is_half_empty():
            self._room.set()

    def close(self) -> None:
        """Forget what waits and what is still to come: the client is not to have it any more."""
        self._closed = True
        for entry in self._queue:
            if isinstance(entry, Message):
                self._plain.remove(entry)
            else:
                self._forget(entry)
        self._queue.clear()
        self.flush()

    async def room(self) -> None:
        """Wait until the queue is at most half full, conflated updates not counted."""
        while not self._plain.is_half_empty():
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()

    def _take(self) -> Message:
        """The next to be written. A subscription with more of them queues again: each gets its turn."""
        entry = self._queue.popleft()
        if isinstance(entry, Message):
            self._plain.remove(entry)
            return entry
        _, message = entry.messages.popitem(last=False)
        if entry.messages:
            self._queue.append(entry)
        self._conflated.remove(message)
        return message

    def _forget(self, waiting: Waiting) -> None:
        for message in waiting.messages.values():
            self._conflated.remove(message)
        waiting.messages.clear()
