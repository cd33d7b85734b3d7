"""A service with WebSocket routes whose every step a test can watch, hold up or break."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from trading_api.shared.ws import (
    AnyRoute,
    AnyTopic,
    Conflate,
    Durable,
    SequencedUpdate,
    Topic,
    WsRoute,
)


class Ask(BaseModel):
    """A subscription: to what, and two more fields to see names and defaults by."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    symbol: str
    depth: int = 1
    long_name: str = Field(default="", alias="longName")


class Said(BaseModel):
    """An update."""

    text: str


class Strict(WsRoute[Ask, Said]):
    """Delivery Disconnect."""

    route = "strict"
    request_type = Ask
    data_type = Said


class Newest(WsRoute[Ask, Said]):
    """Delivery Conflate."""

    route = "newest"
    request_type = Ask
    data_type = Said
    delivery = Conflate


class Logged(WsRoute[Ask, Said]):
    """Delivery Durable."""

    route = "logged"
    request_type = Ask
    data_type = Said
    delivery = Durable


ROUTES: tuple[AnyRoute, ...] = (Strict, Newest, Logged)
AskTopic: TypeAlias = Topic[Ask, Said]


class WatchedService:
    """Writes down the calls in `calls`; `topics` are those between creation and removal, by name."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.topics: dict[str, AskTopic] = {}
        self.log: list[SequencedUpdate[Said]] = []
        self.on_create: Callable[[AskTopic], None] = _nothing
        self.on_remove: Callable[[AskTopic], None] = _nothing
        self.on_replay: Callable[[int], None] = _nothing
        self.may_create = asyncio.Event()
        self.may_remove = asyncio.Event()
        self.may_replay = asyncio.Event()
        for gate in (self.may_create, self.may_remove, self.may_replay):
            gate.set()

    async def create_topic(self, topic: AnyTopic) -> None:
        assert topic.name not in self.topics, "created twice"
        self.calls.append(f"create {topic.name}")
        await self.may_create.wait()
        self.on_create(topic)
        self.topics[topic.name] = topic

    async def remove_topic(self, topic: AnyTopic) -> None:
        assert self.topics.pop(topic.name) is topic, "removed what was not created"
        self.calls.append(f"remove {topic.name}")
        await self.may_remove.wait()
        self.on_remove(topic)

    async def replay(self, topic: AnyTopic, since: int) -> Sequence[SequencedUpdate[Said]]:
        self.calls.append(f"replay {topic.name} since {since}")
        found = [update for update in self.log if update.seq > since]
        await self.may_replay.wait()
        self.on_replay(since)
        return found

    def topic(self, name: str) -> AskTopic:
        """The topic that subscribers to the symbol of `name` (`route:symbol`) share."""
        route, _, symbol = name.partition(":")
        return self.topics[f'{route}:{{"symbol":"{symbol}"}}']

    def say(self, name: str, *texts: str, key: str = "") -> None:
        """Publish to a topic that is not durable."""
        for text in texts:
            self.topic(name).publish(Said(text=text), key=key)

    def append(self, name: str, *seqs: int) -> None:
        """Log an update for each number, and publish it if there is such a topic."""
        for seq in seqs:
            update = SequencedUpdate(seq, Said(text=str(seq)))
            self.log.append(update)
            route, _, symbol = name.partition(":")
            topic = self.topics.get(f'{route}:{{"symbol":"{symbol}"}}')
            if topic is not None:
                topic.publish(update.data, seq=seq)


def _nothing(_: object) -> None:
    """What happens in a call unless the test says otherwise."""
