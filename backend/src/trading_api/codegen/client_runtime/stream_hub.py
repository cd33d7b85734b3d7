"""Keeps one connection for all subscriptions of a client: opened with the first, closed with the last."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from .errors import ClientError, TransportError
from .retry import Dice
from .stream_backoff import Backoff
from .stream_route import StreamPolicy
from .stream_socket import Connect, ConnectionLost, Socket
from .stream_topics import AnyInbox, AnyRoute, Conversation, Topic, Topics, TryAgain

Sleep = Callable[[float], Awaitable[object]]


class Link:
    """One connection and what is being said on it."""

    def __init__(self, socket: Socket, topics: Topics, policy: StreamPolicy, scope: asyncio.Timeout) -> None:
        self._socket = socket
        self._policy = policy
        self._scope = scope
        self._conversation = Conversation(topics)

    @property
    def served(self) -> bool:
        """Whether the server has subscribed anything on it."""
        return self._conversation.served

    async def subscribe(self, topic: Topic, *, resume: bool = True) -> None:
        """Ask for a topic. When the answer does not come in time, the connection is given up."""
        id_, text = self._conversation.subscribe(topic, resume=resume)
        asyncio.get_running_loop().call_later(self._policy.answer_timeout, self._expire, id_)
        await self._socket.send(text)

    async def unsubscribe(self, topic: Topic) -> None:
        """Ask for no more of a topic."""
        await self._socket.send(self._conversation.unsubscribe(topic))

    async def receive(self) -> None:
        """Wait for one frame and deliver it."""
        text = await self._socket.receive()
        anew = self._conversation.receive(text)
        if anew is not None:
            await self.subscribe(anew, resume=False)

    def _expire(self, id_: str) -> None:
        if self._conversation.awaits(id_):
            with suppress(RuntimeError):  # The connection has ended meanwhile.
                self._scope.reschedule(asyncio.get_running_loop().time())


class Hub:
    """Topics, and the task that keeps them subscribed while there are any."""

    def __init__(self, connect: Connect, policy: StreamPolicy, dice: Dice, sleep: Sleep = asyncio.sleep) -> None:
        self._connect = connect
        self._policy = policy
        self._dice = dice
        self._sleep = sleep
        self._topics = Topics()
        self._link: Link | None = None
        self._lost: ConnectionLost | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._leavers: set[asyncio.Future[None]] = set()
        self._closed = False

    async def join(self, route: AnyRoute, payload: str, inbox: AnyInbox, since: int | None) -> Topic:
        """Have updates put into `inbox`. Raises ValueError, and TransportError when the client was closed."""
        if self._closed:
            raise TransportError(route.name, "the client is closed")
        topic, new = self._topics.join(route, payload, inbox, since)
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="streams")
        elif new and self._link is not None:
            with suppress(ClientError):  # The keeper notices it too, and subscribes every topic anew.
                await self._link.subscribe(topic)
        return topic

    async def leave(self, topic: Topic, inbox: AnyInbox) -> None:
        """Put no more into `inbox`; ask for no more of a topic that nobody reads, and end with the last one."""
        with self._leaver():
            if self._topics.leave(topic, inbox) and self._link is not None:
                with suppress(ClientError):
                    await self._link.unsubscribe(topic)
            if not self._topics:
                await self._stop()

    async def aclose(self) -> None:
        """End every subscription with TransportError, and the connection; return when nothing of it runs any more."""
        self._closed = True
        self._fail(TransportError("stream", "the client was closed"))
        await self._stop()
        while self._leavers:
            await asyncio.wait(self._leavers)

    def unanswered(self, route: str) -> TransportError:
        """The error of a subscription that got no answer within `first_connect`: names what happened last."""
        lost = None if self._link is not None and self._link.served else self._lost
        what = "the server does not answer" if lost is None else f"the last connection ended with {lost}"
        error = TransportError(route, f"not subscribed within {self._policy.first_connect:g} s: {what}")
        error.__cause__ = lost
        return error

    @contextmanager
    def _leaver(self) -> Iterator[None]:
        """Known to `aclose` while it lasts: a loop that was left without `async with` leaves in a task of its own."""
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leavers.add(gone)
        try:
            yield
        finally:
            self._leavers.discard(gone)
            gone.set_result(None)

    async def _stop(self) -> None:
        """End the connection; return when it has ended, and those whose end had begun before."""
        keeper, self._keeper, self._link = self._keeper, None, None
        if keeper is not None:
            self._ending.add(keeper)
            keeper.add_done_callback(self._ending.discard)
            keeper.cancel()
        if self._ending:
            await asyncio.wait(self._ending)

    async def _keep(self) -> None:
        try:
            await self._stay_connected()
        except Exception as error:  # noqa: BLE001 - whatever it is, the readers must not wait for ever
            self._fail(error if isinstance(error, ClientError) else _unexpected(error))
            if self._keeper is asyncio.current_task():
                self._keeper = None

    async def _stay_connected(self) -> None:
        backoff = Backoff(self._policy, self._dice)
        while True:
            served = False
            try:
                socket = await self._connect()
            except ConnectionLost as error:
                self._lost = lost = error
            else:
                backoff.connected()
                lost, served = await self._use(socket)
            await self._sleep(backoff.delay(lost, served=served))

    async def _use(self, socket: Socket) -> tuple[ConnectionLost, bool]:
        """Keep everything subscribed until the connection ends; return how it did, and whether it was of use."""
        scope = asyncio.timeout(None)
        link = self._link = Link(socket, self._topics, self._policy, scope)
        try:
            self._lost = lost = await self._converse(link, scope)
            for topic in self._topics:
                topic.lost(str(lost))
            return lost, link.served
        finally:
            # Another connection may have taken the place, while this one was being closed.
            if self._link is link:
                self._link = None
            await socket.aclose()

    async def _converse(self, link: Link, scope: asyncio.Timeout) -> ConnectionLost:
        """Subscribe everything and deliver what comes, until the connection ends; return how it did."""
        try:
            async with scope:
                await self._subscribe_all(link)
                while True:
                    await link.receive()
        except ConnectionLost as lost:
            return lost
        except (TryAgain, TimeoutError) as error:
            return ConnectionLost(1006, str(error) or "the server does not answer")

    async def _subscribe_all(self, link: Link) -> None:
        for number, topic in enumerate(self._topics):
            if number >= self._policy.burst:
                await self._sleep(1 / self._policy.frames_per_second)
            if topic in self._topics:
                await link.subscribe(topic)

    def _fail(self, error: Exception) -> None:
        for topic in self._topics:
            topic.fail(error)
            self._topics.forget(topic)


def _unexpected(error: Exception) -> TransportError:
    """What no part is known to raise, as an error that callers expect."""
    failure = TransportError("stream", f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
