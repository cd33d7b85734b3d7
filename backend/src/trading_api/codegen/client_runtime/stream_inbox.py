"""Where updates wait for their reader: bounded, and in order."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .errors import DecodeError, SlowConsumer
from .json_pointer import pointed
from .stream_events import Disconnected, Event, Gap, Reconnected, Update
from .stream_route import StreamRoute

DataT = TypeVar("DataT")


@dataclass(slots=True)
class Raw:
    """An update as it came. It is read when it is taken, so one that is never taken costs nothing.

    `key` is what it is about, on a route whose contract says so.
    """

    payload: object
    seq: int | None
    key: str | None = None


class Inbox(Generic[DataT]):
    """Holds what one subscription has not read. `dropped` counts the updates that newer ones pushed out."""

    def __init__(self, route: StreamRoute[Any, DataT], size: int, since: int | None) -> None:
        self.acknowledged = False
        self.dropped = 0
        self._route = route
        self._size = size
        self._last_seq = since
        self._waiting: deque[Raw | Disconnected | Reconnected | Gap] = deque()
        self._by_key: dict[str, Raw] = {}
        self._failure: Exception | None = None
        self._changed = asyncio.Event()

    def acknowledge(self) -> None:
        """The server has subscribed it."""
        self.acknowledged = True
        self._changed.set()

    def put(self, item: Raw | Disconnected | Reconnected | Gap) -> None:
        """Keep an item for the reader, unless it has had that update. Never waits."""
        if self._failure is not None or (isinstance(item, Raw) and self._is_old(item.seq)):
            return
        if isinstance(item, Raw) and self._replaces(item):
            return
        if len(self._waiting) >= self._size and not self._make_room():
            return
        if isinstance(item, Gap):
            # The order may begin anew.
            self._last_seq = None
        self._waiting.append(item)
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Let the reader have `error` after what waits. The first error stands."""
        self._failure = self._failure or error
        self._changed.set()

    async def wait_acknowledged(self) -> None:
        """Return once the server has subscribed it. Raises what it failed with."""
        while not self.acknowledged:
            if self._failure is not None:
                raise self._failure
            await self._wait()

    async def get(self) -> Event[DataT]:
        """The next item. Raises DecodeError for an update that does not fit, and what the inbox failed with."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            await self._wait()
        item = self._waiting.popleft()
        if not isinstance(item, Raw):
            return item
        if item.key is not None:
            del self._by_key[item.key]
        return self._read(item)

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _is_old(self, seq: int | None) -> bool:
        if seq is None:
            return False
        if self._last_seq is not None and seq <= self._last_seq:
            return True
        self._last_seq = seq
        return False

    def _replaces(self, new: Raw) -> bool:
        """Give `new` the place of the update that waits and is about the same; False where none does.

        As servers do: who reads slowly gets the newest of everything, each in its turn.
        """
        new.key = self._key_of(new.payload)
        if new.key is None:
            return False
        old = self._by_key.setdefault(new.key, new)
        if old is new:
            return False
        old.payload = new.payload
        self.dropped += 1
        return True

    def _key_of(self, payload: object) -> str | None:
        if not self._route.conflate or self._route.key is None:
            return None
        try:
            return repr(pointed(self._route.key, payload))
        except (LookupError, RecursionError):
            return None

    def _make_room(self) -> bool:
        """Drop the oldest where any update replaces any other; otherwise the subscription has failed."""
        if not self._route.conflate or self._route.key is not None:
            what = f"{self._route.name}: {self._size} updates wait and another one came; read faster, or ask for less"
            self.fail(SlowConsumer(what))
            return False
        self._waiting.popleft()
        self.dropped += 1
        return True

    def _read(self, item: Raw) -> Update[DataT]:
        try:
            return Update(self._route.data.validate(item.payload), item.seq)
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"{self._route.name}.update", str(error)) from error
