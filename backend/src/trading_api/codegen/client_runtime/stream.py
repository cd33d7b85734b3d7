"""Streams as a caller sees them: `async for quote in client.quotes.subscribe(request)`."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from .json_text import to_json
from .stream_events import Event, Update
from .stream_hub import Hub
from .stream_inbox import Inbox
from .stream_route import StreamPolicy, StreamRoute
from .stream_topics import Topic

RequestT = TypeVar("RequestT")
DataT = TypeVar("DataT")


class Subscription(Generic[DataT]):
    """The updates of one topic. Leaving the loop unsubscribes; with `async with`, leaving the block does, and surely so

    where Python has no reference counts. A second subscription to a topic joins the first where it is.

    Iterating gives the data alone, `events()` also Disconnected, Reconnected and Gap. Raises SubscriptionError when
    the server refuses, SlowConsumer when the reader is too slow for a route that must not miss an update, DecodeError
    for an update that does not fit, TransportError without a connection or a first answer, and StreamRefused.
    """

    def __init__(
        self, hub: Hub, route: StreamRoute[RequestT, DataT], request: RequestT, policy: StreamPolicy, since: int | None
    ) -> None:
        if since is not None and not route.durable:
            raise ValueError(f"{route.name} is not durable; it cannot begin after a seq")
        self._hub = hub
        self._route = route
        self._payload = to_json(request)
        self._since = since
        self._patience = policy.first_connect
        self._inbox: Inbox[DataT] = Inbox(route, policy.queue_size, since)
        self._topic: Topic | None = None
        self._held = False
        self._ended = False

    @property
    def dropped(self) -> int:
        """How many updates newer ones have pushed out before they were read, on a route that conflates."""
        return self._inbox.dropped

    async def __aenter__(self) -> Self:
        self._held = True
        try:
            await self._start()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __aiter__(self) -> AsyncIterator[DataT]:
        try:
            await self._start()
            while True:
                event = await self._inbox.get()
                if isinstance(event, Update):
                    yield event.data
        finally:
            await self._leave_loop()

    async def events(self) -> AsyncIterator[Event[DataT]]:
        """The data as Update, and what happened to the connection in between."""
        try:
            await self._start()
            while True:
                yield await self._inbox.get()
        finally:
            await self._leave_loop()

    async def aclose(self) -> None:
        """Unsubscribe. May be called twice."""
        self._ended = True
        topic, self._topic = self._topic, None
        if topic is not None:
            await self._hub.leave(topic, self._inbox)

    async def _start(self) -> None:
        """Subscribe, if that has not happened; return when the server has said so."""
        if self._ended:
            raise RuntimeError("this subscription has ended; subscribe again")
        if self._topic is None:
            self._topic = await self._hub.join(self._route, self._payload, self._inbox, self._since)
        try:
            async with asyncio.timeout(self._patience):
                await self._inbox.wait_acknowledged()
        except TimeoutError:
            raise self._hub.unanswered(self._route.name)  # noqa: B904 - its cause is what happened last

    async def _leave_loop(self) -> None:
        if not self._held:
            await self.aclose()


class Stream(Generic[RequestT, DataT]):
    """One WebSocket route of a client."""

    def __init__(self, hub: Hub, route: StreamRoute[RequestT, DataT], policy: StreamPolicy) -> None:
        self._hub = hub
        self._route = route
        self._policy = policy

    def subscribe(self, request: RequestT) -> Subscription[DataT]:
        """The updates that `request` asks for. Nothing is sent before the subscription is entered or iterated."""
        return Subscription(self._hub, self._route, request, self._policy, None)


class DurableStream(Stream[RequestT, DataT]):
    """A route whose updates are numbered, so that none is missed over a lost connection."""

    def subscribe(self, request: RequestT, *, since: int | None = None) -> Subscription[DataT]:
        """As Stream.subscribe; with `since`, first what came after that `seq`, once and in order."""
        return Subscription(self._hub, self._route, request, self._policy, since)
