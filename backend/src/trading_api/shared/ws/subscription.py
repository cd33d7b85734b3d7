"""One client's interest in one topic: hands updates to the client as the route's delivery says (W06, W07)."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from trading_api.shared.ws.backlog import Backlog
from trading_api.shared.ws.limits import WsLimits
from trading_api.shared.ws.memory import Memory
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.outbox import Outbox, Waiting
from trading_api.shared.ws.statistics import WsCounters

Numbered = tuple[int, Message]


class Subscriber(Protocol):
    """What subscriptions need of their connection."""

    outbox: Outbox
    limits: WsLimits
    counters: WsCounters
    memory: Memory

    def drop_slow(self, topic: str) -> None:
        """Close the connection: it did not read the updates of `topic`."""

    def drop_failed(self, topic: str) -> None:
        """Close the connection: an update of `topic` cannot be sent."""


class Subscription:
    """Delivery Disconnect: every update in order, or the connection is closed."""

    __slots__ = ("_drop_failed", "_drop_slow", "_outbox", "_topic")

    def __init__(self, topic: str, subscriber: Subscriber) -> None:
        self._topic = topic
        self._outbox = subscriber.outbox
        self._drop_slow: Callable[[str], None] = subscriber.drop_slow
        self._drop_failed: Callable[[str], None] = subscriber.drop_failed

    def deliver(self, message: Message, key: str, seq: int | None) -> None:  # noqa: ARG002 - other kinds need them
        """Hand on one update. Never waits."""
        if not self._outbox.put(message):
            self._drop_slow(self._topic)

    def fail(self) -> None:
        """An update cannot be handed on."""
        self._drop_failed(self._topic)

    def end(self) -> None:
        """Nothing is delivered from now on: give back what is kept, where the client can do without it."""


class ConflatingSubscription(Subscription):
    """Delivery Conflate: a slow client gets only the newest update of each key."""

    __slots__ = ("_counters", "_waiting")

    def __init__(self, topic: str, subscriber: Subscriber) -> None:
        super().__init__(topic, subscriber)
        self._waiting = Waiting()
        self._counters = subscriber.counters

    def deliver(self, message: Message, key: str, seq: int | None) -> None:  # noqa: ARG002
        if key not in self._waiting.messages:
            taken = self._outbox.put_newest(message, self._waiting, key)
        else:
            taken = self._outbox.replace(message, self._waiting, key)
            self._counters.conflated += taken
        if not taken:
            self._drop_slow(self._topic)

    def end(self) -> None:
        self._outbox.withdraw(self._waiting)


class DurableSubscription(Subscription):
    """Delivery Durable: every update in order and once, also across a replay that live updates overtake."""

    __slots__ = ("_backlog", "_counters", "_held", "_last")

    def __init__(self, topic: str, subscriber: Subscriber, since: int | None) -> None:
        """With `since`, updates are held back until `replay` has run."""
        super().__init__(topic, subscriber)
        limits = subscriber.limits
        self._last = -1 if since is None else since
        self._held: deque[Numbered] | None = None if since is None else deque()
        self._backlog = Backlog(limits.queue, limits.queue_bytes, subscriber.memory)
        self._counters = subscriber.counters

    def deliver(self, message: Message, key: str, seq: int | None) -> None:  # noqa: ARG002
        assert seq is not None, "the topic of a durable route asks for it"
        if self._held is None:
            self._send(seq, message)
        elif self._backlog.add(message):
            self._held.append((seq, message))
        else:
            self._drop_slow(self._topic)

    def end(self) -> None:
        while self._held:
            self._backlog.remove(self._held.popleft()[1])

    async def replay(self, missed: Iterable[Numbered]) -> None:
        """Send `missed`, then what was held back meanwhile, as fast as the client reads; from then on all is live."""
        for seq, message in missed:
            await self._replay_one(seq, message)
        while self._held:
            seq, message = self._held.popleft()
            self._backlog.remove(message)
            await self._replay_one(seq, message)
        # Nothing runs between the look at what is held back and the switch, so no update slips through.
        self._held = None

    async def _replay_one(self, seq: int, message: Message) -> None:
        await self._outbox.room()
        self._counters.replayed += self._send(seq, message)

    def _send(self, seq: int, message: Message) -> bool:
        """Hand on an update unless the client has had it."""
        if seq <= self._last:
            return False
        self._last = seq
        super().deliver(message, "", seq)
        return True
