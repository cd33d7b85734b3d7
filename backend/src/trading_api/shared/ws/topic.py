"""A topic: what one request of a route asks for, shared by everybody who asks the same."""

import json
from typing import Any, Generic, Protocol, TypeVar

from pydantic_core import PydanticSerializationError

from trading_api.shared.users.user import User
from trading_api.shared.ws.keys import keys_of
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.newest import Newest
from trading_api.shared.ws.routes import CompiledRoute
from trading_api.shared.ws.statistics import WsCounters

RequestT = TypeVar("RequestT")
DataT = TypeVar("DataT")
TopicKey = tuple[str | None, str]
"""The user's id, and the name on the wire, which may be the same for all users."""


class Deliverable(Protocol):
    """A subscription, seen from its topic."""

    def deliver(self, message: Message, key: str, seq: int | None) -> None:
        """Take one update. Must neither wait nor raise."""

    def fail(self) -> None:
        """An update cannot be sent: close the connection."""

    def end(self) -> None:
        """Take none any more, and give back what is kept."""


class Topic(Generic[RequestT, DataT]):
    """What a service publishes to. `request` is the payload of the subscription that it stands for.

    `user` is whose topic it is, and only that user's clients share it; None in a module that needs no user.

    Lives from `create_topic` to `remove_topic`, all in the thread of the event loop.
    """

    __slots__ = (
        "_counters",
        "_ended",
        "_head",
        "_last_seq",
        "_newest",
        "_subscriptions",
        "_to_json",
        "_to_python",
        "durable",
        "keys",
        "name",
        "name_bytes",
        "request",
        "route",
        "user",
    )

    def __init__(
        self,
        route: CompiledRoute,
        name: str,
        request: RequestT,
        counters: WsCounters,
        newest: Newest,
        user: User | None = None,
    ) -> None:
        self.name = name
        self.user = user
        self.name_bytes = len(name.encode())
        self.keys = keys_of(request)
        self.route = route.name
        self.request = request
        self.durable = route.durable
        # What TypeAdapter.dump_json calls in the end, without its many options: half the time.
        self._to_json = route.data.serializer.to_json
        self._to_python = route.data.serializer.to_python
        self._counters = counters
        self._ended = False
        self._last_seq = -1
        self._newest = newest
        self._subscriptions: dict[object, Deliverable] = {}
        self._head = f'{{"type":"{self.route}.update","payload":{{"topic":{_quote(name)},"payload":'.encode()

    def __repr__(self) -> str:
        return f"<Topic {self.name}>"

    @property
    def key(self) -> TopicKey:
        """What tells it from all other topics."""
        return (None if self.user is None else self.user.id, self.name)

    @property
    def subscribers(self) -> int:
        """How many clients get the updates now."""
        return len(self._subscriptions)

    def publish(self, data: DataT, *, key: str = "", seq: int | None = None) -> None:
        """Send `data` to every subscriber, now and without waiting: never blocks, never fails for a client's sake.

        `key` says what the update is about, where a topic is about several things (a symbol): a newer update replaces
        an older one of its key for clients that are slow, if the route conflates, and for those that are yet to come.
        `seq` numbers the updates of a durable route, ascending; one that is not above the last is taken for a repeat
        and dropped. It belongs to durable routes only: ValueError.

        After `remove_topic` this does nothing. A subscriber whose queue (1024 updates) overflows is closed, so give
        the event loop a turn within longer bursts. Of a conflating route it is not, if the request tells how many
        different keys there are (`count_keys`).
        """
        if self._is_due(seq):
            self._publish(self._json(data), key, seq)

    def publish_json(self, data: bytes, *, key: str = "", seq: int | None = None) -> None:
        """The same with data that is JSON already, exactly as the route's model would be written."""
        if self._is_due(seq):
            self._publish(data, key, seq)

    def render(self, data: DataT, seq: int | None = None) -> Message:
        """The update frame of `data`."""
        return self._message(self._json(data), seq)

    def attach(self, owner: object, subscription: Deliverable) -> None:
        """Deliver to `subscription` from now on. `owner` has one at most."""
        self._subscriptions[owner] = subscription

    def detach(self, owner: object) -> None:
        """Deliver no more to the subscription of `owner`, if there is one."""
        subscription = self._subscriptions.pop(owner, None)
        if subscription is not None:
            subscription.end()

    def send_newest(self, owner: object) -> None:
        """Deliver the newest update of each key, the one published last at the end. Durable topics keep none."""
        subscription = self._subscriptions[owner]
        self._counters.delivered += len(self._newest)
        for key, message in self._newest:
            subscription.deliver(message, key, None)

    def fail(self) -> None:
        """Close every subscriber, for an update cannot be sent that none of them may miss unknowingly."""
        for subscription in tuple(self._subscriptions.values()):
            subscription.fail()

    def end(self) -> None:
        """From now on `publish` does nothing."""
        self._ended = True
        self._newest.clear()

    def _is_due(self, seq: int | None) -> bool:
        """Whether an update is to be published. Raises ValueError where it has no `seq` and needs one, or reversed."""
        if (seq is not None) != self.durable:
            raise ValueError(f"{self.name}: updates of a durable route have a seq, others have none")
        return not self._ended and (seq is None or seq > self._last_seq)

    def _json(self, data: DataT) -> bytes:
        """Of a text that holds half a surrogate pair, which no UTF-8 does, a question mark is sent instead of it."""
        try:
            return self._to_json(data, by_alias=True)
        except PydanticSerializationError:
            plain = self._to_python(data, mode="json", by_alias=True)
            return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")

    def _message(self, data: bytes, seq: int | None) -> Message:
        return Message(data, self._head, b"}}" if seq is None else b'},"seq":%d}' % seq)

    def _publish(self, data: bytes, key: str, seq: int | None) -> None:
        message = self._message(data, seq)
        if seq is None:
            self._newest.keep(key, message)
        else:
            self._last_seq = seq
        self._counters.published += 1
        self._counters.delivered += len(self._subscriptions)
        message.share()
        # A copy, for a client that is closed here unsubscribes at once.
        for subscription in tuple(self._subscriptions.values()):
            subscription.deliver(message, key, seq)
        message.unshare()


AnyTopic = Topic[Any, Any]


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
