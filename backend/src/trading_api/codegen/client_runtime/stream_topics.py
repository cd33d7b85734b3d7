"""What a client is subscribed to, and the conversation about it on one connection. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .errors import ClientError, SubscriptionError
from .stream_events import Disconnected, Gap, Reconnected
from .stream_frames import Frame, read_frame, request_frame
from .stream_inbox import Inbox, Raw
from .stream_route import StreamRoute

AnyRoute = StreamRoute[Any, Any]
AnyInbox = Inbox[Any]


class TryAgain(ClientError):
    """The server could not subscribe a topic again now, but may later."""


@dataclass(eq=False, slots=True)
class Topic:
    """One topic of one route, whatever the number of subscriptions that read it. `payload` is JSON text.

    `acknowledged`: the server has subscribed it at least once; `live`: it has on the connection of now.
    """

    route: AnyRoute
    payload: str
    since: int | None = None
    inboxes: list[AnyInbox] = field(default_factory=list)
    acknowledged: bool = False
    live: bool = False
    gap: Gap | None = None

    def fail(self, error: Exception) -> None:
        """End every subscription with `error`."""
        for inbox in self.inboxes:
            inbox.fail(error)

    def subscribed(self) -> None:
        """The server has subscribed it. Tells who read it before that the connection is back."""
        if self.acknowledged:
            _tell_return(self)
        self.acknowledged = self.live = True
        for inbox in self.inboxes:
            inbox.acknowledge()

    def lost(self, reason: str) -> None:
        """The connection was lost. Tells who reads it, once until it is back."""
        if self.live:
            self.live = False
            _tell(self, Disconnected(reason))


class Topics:
    """Every topic that somebody reads, by route and payload."""

    def __init__(self) -> None:
        self._topics: dict[tuple[str, str], Topic] = {}

    def __iter__(self) -> Iterator[Topic]:
        return iter(tuple(self._topics.values()))

    def __contains__(self, topic: Topic) -> bool:
        return self._topics.get((topic.route.name, topic.payload)) is topic

    def __len__(self) -> int:
        return len(self._topics)

    def join(self, route: AnyRoute, payload: str, inbox: AnyInbox, since: int | None) -> tuple[Topic, bool]:
        """The topic, with one reader more, and whether it is new. Raises ValueError for `since` on an old one."""
        topic = self._topics.get((route.name, payload))
        if topic is None:
            topic = self._topics[route.name, payload] = Topic(route, payload, since, [inbox])
            return topic, True
        if since is not None:
            raise ValueError(f"{route.name}: this client reads that topic already; replay it with a client of its own")
        topic.inboxes.append(inbox)
        if topic.live:
            inbox.acknowledge()
        return topic, False

    def leave(self, topic: Topic, inbox: AnyInbox) -> bool:
        """Take a reader away; whether it was the last one."""
        if inbox in topic.inboxes:
            topic.inboxes.remove(inbox)
        if topic.inboxes:
            return False
        return self.forget(topic)

    def forget(self, topic: Topic) -> bool:
        """Take a topic away; whether it was there."""
        if topic not in self:
            return False
        del self._topics[topic.route.name, topic.payload]
        return True


class Conversation:
    """What was asked on one connection, and what its answers mean."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._ids = count(1)
        self._asked: dict[str, Topic] = {}
        self._by_name: dict[str, Topic] = {}
        self.served = False
        """Whether the server has subscribed anything."""

    def subscribe(self, topic: Topic, *, resume: bool = True) -> tuple[str, str]:
        """The id and the text of the frame that subscribes `topic`, on from its last `seq` if it has one."""
        id_ = str(next(self._ids))
        self._asked[id_] = topic
        since = topic.since if resume and topic.route.durable else None
        return id_, request_frame(f"{topic.route.name}.subscribe", topic.payload, id_, since)

    def unsubscribe(self, topic: Topic) -> str:
        """The text of the frame that unsubscribes `topic`."""
        self._by_name = {name: other for name, other in self._by_name.items() if other is not topic}
        return request_frame(f"{topic.route.name}.unsubscribe", topic.payload, str(next(self._ids)))

    def awaits(self, id_: str) -> bool:
        """Whether the subscription asked for with `id_` has not been answered."""
        return id_ in self._asked

    def receive(self, text: str | bytes) -> Topic | None:
        """Deliver what a frame says. Returns a topic that must be subscribed anew, without its past.

        Raises DecodeError for what is not a frame, or an answer that lacks a part, and TryAgain.
        """
        frame = read_frame(text)
        if frame.end == "update":
            self._update(frame)
        elif frame.end == "subscribe.response":
            self._acknowledged(frame)
        elif frame.end == "error" and not frame.route:
            return self._refused(frame)
        return None

    def _update(self, frame: Frame) -> None:
        body = frame.payload if isinstance(frame.payload, dict) else {}
        name = body.get("topic")
        topic = self._by_name.get(name) if isinstance(name, str) else None
        if topic is None:
            # One that was under way when its topic was unsubscribed.
            return
        if frame.seq is not None:
            topic.since = max(frame.seq, topic.since or 0)
        for inbox in topic.inboxes:
            inbox.put(Raw(body.get("payload"), frame.seq))

    def _acknowledged(self, frame: Frame) -> None:
        topic = self._asked.pop(frame.id or "", None)
        if topic is None:
            return
        self._by_name[frame.text("topic")] = topic
        self.served = True
        topic.subscribed()

    def _refused(self, frame: Frame) -> Topic | None:
        topic = self._asked.pop(frame.id or "", None)
        if topic is None:
            return None
        error = SubscriptionError(topic.route.name, frame.text("code"), frame.text("detail"))
        if topic.acknowledged and error.retryable:
            raise TryAgain(str(error))
        if topic.acknowledged and error.code == "cannot_resume":
            topic.gap = Gap(error.detail, topic.since)
            topic.since = None
            return topic
        self._topics.forget(topic)
        topic.fail(error)
        return None


def _tell_return(topic: Topic) -> None:
    """Tell the readers that the connection is back, and whether they may have missed something."""
    gap = topic.gap
    if gap is None and topic.since is None and not topic.route.conflate:
        gap = Gap("updates of the time without a connection are not repeated")
    topic.gap = None
    _tell(topic, Reconnected())
    if gap is not None:
        _tell(topic, gap)


def _tell(topic: Topic, event: Disconnected | Reconnected | Gap) -> None:
    """Tell the readers; not those that came while there was no connection, for they wait for their first answer."""
    for inbox in topic.inboxes:
        if inbox.acknowledged:
            inbox.put(event)
