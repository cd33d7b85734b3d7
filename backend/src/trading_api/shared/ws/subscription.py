"""One client's interest in one topic: hands updates to the client as the route's delivery says (W06, W07)."""

from collections.abc import Callable, Iterable
from typing import Protocol

from trading_api.shared.ws.limits import WsLimits
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.outbox import Outbox, Slot
from trading_api.shared.ws.statistics import WsCounters

Numbered = tuple[int, Message]


class Subscriber(Protocol):
    """What subscriptions need of their connection."""

    outbox: Outbox
    limits: WsLimits
    counters: WsCounters

    def drop_slow(self, topic: str) -> None:
        """Close the connection: it did not read the updates of `topic`."""


class Subscription:
    """Delivery Disconnect: every update in order, or the connection is closed."""

    __slots__ = ("_drop_slow", "_outbox", "_topic")

    def __init__(self, topic: str, subscriber: Subscriber) -> None:
        self._topic = topic
        self._outbox = subscriber.outbox
        self._drop_slow: Callable[[str], None] = subscriber.drop_slow

    def deliver(self, message: Message, key: str, seq: int | None) -> None:  # noqa: ARG002 - other kinds need them
        """Hand on one update. Never waits."""
        if not self._outbox.put(message):
            self._drop_slow(self._topic)


class ConflatingSubscription(Subscription):
    """Delivery Conflate: a slow client gets only the newest update of each key."""

    __slots__ = ("_counters", "_slots")

    def __init__(self, topic: str, subscriber: Subscriber) -> None:
        super().__init__(topic, subscriber)
        self._slots: dict[str, Slot] = {}
        self._counters = subscriber.counters

    def deliver(self, message: Message, key: str, seq: int | None) -> None:  # noqa: ARG002
        slot = self._slots.get(key)
        if slot is not None:
            slot.message = message
            self._counters.conflated += 1
        elif not self._outbox.put_newest(message, self._slots, key):
            self._drop_slow(self._topic)


class DurableSubscription(Subscription):
    """Delivery Durable: every update in order and once, also across a replay that live updates overtake."""

    __slots__ = ("_counters", "_held", "_last", "_limit")

    def __init__(self, topic: str, subscriber: Subscriber, since: int | None) -> None:
        """With `since`, updates are held back until `replay` has run."""
        super().__init__(topic, subscriber)
        self._last = -1 if since is None else since
        self._held: list[Numbered] | None = None if since is None else []
        self._limit = subscriber.limits.queue
        self._counters = subscriber.counters

    def deliver(self, message: Message, key: str, seq: int | None) -> None:  # noqa: ARG002
        assert seq is not None, "the topic of a durable route asks for it"
        if self._held is None:
            self._send(seq, message)
        elif len(self._held) < self._limit:
            self._held.append((seq, message))
        else:
            self._drop_slow(self._topic)

    async def replay(self, missed: Iterable[Numbered]) -> None:
        """Send `missed`, then what was held back meanwhile, as fast as the client reads; from then on all is live."""
        batch = missed
        while True:
            for seq, message in batch:
                await self._outbox.room()
                self._counters.replayed += self._send(seq, message)
            # Nothing runs between the look at what is held back and the switch, so no update slips through.
            batch, self._held = self._held or (), []
            if not batch:
                self._held = None
                return

    def _send(self, seq: int, message: Message) -> bool:
        """Hand on an update unless the client has had it."""
        if seq <= self._last:
            return False
        self._last = seq
        super().deliver(message, "", seq)
        return True
