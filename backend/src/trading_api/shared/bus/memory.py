"""The bus of a single process."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TypeVar

from trading_api.shared.bus.answering import Answering, Outcome, Reply
from trading_api.shared.bus.bus import Callback, Handler, Responder
from trading_api.shared.bus.delivery import Delivery
from trading_api.shared.bus.errors import BusError, BusTimeout, BusUnavailable, NoResponder
from trading_api.shared.bus.message import Message, check_size
from trading_api.shared.bus.subject import check_pattern, check_subject, has_wildcards, matches
from trading_api.shared.bus.tasks import Listener, stop

T = TypeVar("T", Delivery, Answering)


class MemoryBus:
    """Hands messages over within one event loop. Connected from `connect` to `close`, so nothing ever reconnects."""

    def __init__(self) -> None:
        self._connected = self._closed = False
        self._exact: dict[str, list[Delivery]] = {}
        self._patterns: list[Delivery] = []
        self._servers: dict[str, list[Answering]] = {}
        self._asking: set[asyncio.Future[Outcome]] = set()

    @property
    def connected(self) -> bool:
        return self._connected

    async def connect(self) -> None:
        self._refuse_if_closed()
        self._connected = True

    async def close(self) -> None:
        self._connected, self._closed = False, True
        for future in self._asking:
            if not future.done():
                future.set_result(BusUnavailable("the bus was closed before the answer came"))
        kept: list[Sequence[Listener]] = [*self._exact.values(), self._patterns, *self._servers.values()]
        self._exact, self._patterns, self._servers = {}, [], {}
        await stop([listener for listeners in kept for listener in listeners])

    async def publish(self, subject: str, data: bytes) -> None:
        check_subject(subject)
        check_size(subject, data)
        self._need_connection()
        message = Message(subject, data)
        crowded = False
        for delivery in self._listeners(subject):
            delivery.offer(message)
            crowded = crowded or delivery.crowded
        if crowded:
            await asyncio.sleep(0)

    async def subscribe(self, subject: str, handler: Handler) -> "MemorySubscription":
        check_pattern(subject)
        self._refuse_if_closed()
        delivery = Delivery(subject, handler)
        listeners = self._patterns if has_wildcards(subject) else self._exact.setdefault(subject, [])
        listeners.append(delivery)
        return MemorySubscription(self, delivery)

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        check_subject(subject)
        check_size(subject, data)
        self._need_connection()
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._next_server(subject).offer(data, _reply_to(future))
        self._asking.add(future)
        try:
            async with asyncio.timeout(timeout):
                outcome = await future
        except TimeoutError:
            raise BusTimeout(f"no answer on {subject!r} within {timeout:g} s") from None
        finally:
            self._asking.discard(future)
        if isinstance(outcome, BusError):
            raise outcome
        return outcome

    async def serve(self, subject: str, responder: Responder) -> "MemorySubscription":
        check_subject(subject)
        self._refuse_if_closed()
        answering = Answering(subject, responder)
        self._servers.setdefault(subject, []).append(answering)
        return MemorySubscription(self, answering)

    def on_reconnect(self, callback: Callback) -> None:
        """Never called: what is in memory is never lost."""

    def forget(self, listener: Delivery | Answering) -> None:
        """Give it nothing from now on."""
        if isinstance(listener, Answering):
            _remove(self._servers, listener.subject, listener)
        elif has_wildcards(listener.subject):
            self._patterns = [each for each in self._patterns if each is not listener]
        else:
            _remove(self._exact, listener.subject, listener)

    def _listeners(self, subject: str) -> Iterator[Delivery]:
        yield from self._exact.get(subject, ())
        if self._patterns:
            yield from (each for each in self._patterns if matches(each.subject, subject))

    def _next_server(self, subject: str) -> Answering:
        servers = self._servers.get(subject)
        if not servers:
            raise NoResponder(f"nobody serves {subject!r}")
        # Each in turn.
        servers.append(servers.pop(0))
        return servers[-1]

    def _need_connection(self) -> None:
        if not self._connected:
            raise BusUnavailable("the bus is not connected")

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise BusUnavailable("the bus is closed")


class MemorySubscription:
    """A subscription of a MemoryBus, or a server on it."""

    __slots__ = ("_bus", "_listener")

    def __init__(self, bus: MemoryBus, listener: Delivery | Answering) -> None:
        self._bus = bus
        self._listener = listener

    @property
    def subject(self) -> str:
        return self._listener.subject

    @property
    def dropped(self) -> int:
        return self._listener.dropped

    async def unsubscribe(self) -> None:
        self._bus.forget(self._listener)
        await stop([self._listener])


def _reply_to(future: asyncio.Future[Outcome]) -> Reply:
    async def reply(outcome: Outcome) -> None:
        # Done already: the caller gave up.
        if not future.done():
            future.set_result(outcome)

    return reply


def _remove(listeners: dict[str, list[T]], subject: str, listener: T) -> None:
    left = [each for each in listeners.get(subject, ()) if each is not listener]
    if left:
        listeners[subject] = left
    else:
        listeners.pop(subject, None)
