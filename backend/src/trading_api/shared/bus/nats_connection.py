"""One connection to one NATS server. It never comes back: the bus makes a new one.

nats-py's own reconnecting is not used: it keeps the token it began with, keeps messages for later, tells requests in
flight nothing, and gives up when the server refuses it once. Two more of its habits shape what follows: a cancelled
`flush` breaks its reading, and a full buffer makes `publish` deaf to being cancelled; so neither is ever let happen.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
import ssl
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error, MaxPayloadError, UnexpectedEOF

from trading_api.shared.bus.errors import BusUnavailable, MessageTooLarge
from trading_api.shared.bus.nats_leftovers import abort, end_tasks, offers_tls

Callback = Callable[[Msg], Awaitable[None]]

_CONNECT_S = 2.0
_CLOSE_S = 1.0
# A server that is silent for so long after each of its quiet moments is given up.
PING_S = 5.0
# Bytes that wait for the socket: from the first mark on a publisher gives way, from the second it waits.
_SOFT, _FULL = 64 * 1024, 1024 * 1024
_ROOM_S = 2.0


class ConnectFailed(Exception):
    """No connection; the text says why. `refused`: a server is there, and trying again will not do."""

    def __init__(self, reason: str, *, refused: bool) -> None:
        super().__init__(reason)
        self.refused = refused


class _NoTls(Error):
    def __str__(self) -> str:
        return "the server offers no TLS, which the URL asks for"


class NatsConnection:
    """Sends, subscribes and asks until it is lost. `lost` gets the reason then, and everything that waits ends."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._client = Client()
        self._subscriptions: set[Subscription] = set()
        self._closing: asyncio.Future[None] | None = None
        self._refused = False
        self._answers: dict[str, asyncio.Future[Msg | None]] = {}
        self._inbox = f"_INBOX.{secrets.token_hex(11)}."
        self._keys = map(str, itertools.count())

    async def open(self, token: str) -> None:
        """Connect and log in, within 2 s. Raises ConnectFailed."""
        connecting = asyncio.ensure_future(self._connect(token))
        try:
            # Up to the first error, not to the end of the attempt: nats-py goes on for ever.
            first: list[asyncio.Future[None] | asyncio.Future[str]] = [connecting, self.lost]
            await asyncio.wait(first, timeout=_CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            connecting.cancel()
            (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
        if self.lost.done():
            raise ConnectFailed(self.lost.result(), refused=self._refused)
        if isinstance(outcome, asyncio.CancelledError):
            raise ConnectFailed(f"no answer within {_CONNECT_S:g} s", refused=False)
        if outcome is not None:
            raise outcome
        try:
            await self.subscribe(f"{self._inbox}*", "", self._take_answer)
        except BusUnavailable as error:
            raise ConnectFailed(str(error), refused=False) from None

    async def close(self) -> None:
        """Send what waits, then disconnect; within a second, whatever the server does. Can be called again."""
        if self.lost.done():
            abort(self._client)
        self.lose("the connection was closed")
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._client.close())
        await asyncio.wait([self._closing], timeout=_CLOSE_S)
        abort(self._client)
        self._closing.cancel()
        await asyncio.gather(self._closing, return_exceptions=True)
        await end_tasks(self._client, self._subscriptions)

    async def publish(self, subject: str, data: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Send. Waits while the socket takes nothing, 2 s at most. Raises BusUnavailable, MessageTooLarge."""
        if self._client.pending_data_size > _SOFT:
            await asyncio.sleep(0)
            if self._client.pending_data_size > _FULL:
                await self._wait_for_room()
        await self._send(subject, data, reply, headers)

    async def subscribe(self, subject: str, queue: str, callback: Callback) -> Subscription:
        """Raises BusUnavailable."""
        try:
            subscription = await self._client.subscribe(subject, queue=queue, cb=callback)
        except (OSError, Error):
            raise self._unavailable() from None
        self._subscriptions.add(subscription)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Also of a connection that is lost."""
        self._subscriptions.discard(subscription)
        with contextlib.suppress(OSError, Error):
            await subscription.unsubscribe()

    async def ask(self, subject: str, data: bytes, *, timeout: float) -> Msg:
        """The first answer to a request. Raises TimeoutError, BusUnavailable."""
        async with asyncio.timeout(timeout):
            return await self._exchange(lambda inbox: self.publish(subject, data, reply=inbox))

    async def settle(self, timeout: float) -> None:
        """Wait until the server has done everything that was sent until now. Raises TimeoutError, BusUnavailable.

        It is a message to oneself, since nats-py's `flush` overtakes what waits to be sent.
        """
        async with asyncio.timeout(timeout):
            await self._exchange(lambda inbox: self._send(inbox, b"", "", None))

    async def watch(self) -> None:
        """Returns when the connection is lost, which a server that no longer answers is too."""
        while not self.lost.done():
            await asyncio.wait([self.lost], timeout=PING_S)
            try:
                await self.settle(PING_S)
            except (TimeoutError, BusUnavailable):
                self.lose(f"no answer within {PING_S:g} s")

    def lose(self, reason: str) -> None:
        """Give it up: whatever waits ends."""
        if not self.lost.done():
            self.lost.set_result(reason)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)

    async def _connect(self, token: str) -> None:
        await self._client.connect(
            self.url,
            name="trading-api",
            token=(lambda: self._guarded(token)) if token or self._encrypted else None,
            error_cb=self._on_error,
            disconnected_cb=self._on_end,
            closed_cb=self._on_end,
            allow_reconnect=False,
            # No buffer for a time without connection, and no waiting inside nats-py while there is one.
            pending_size=0,
        )

    @property
    def _encrypted(self) -> bool:
        return self.url.startswith("tls://")

    def _guarded(self, token: str) -> str:
        """The token, unless the URL asks for TLS and the server did not. nats-py asks for it just before it logs in."""
        if self._encrypted and not offers_tls(self._client):
            raise _NoTls
        return token

    async def _exchange(self, send: Callable[[str], Awaitable[None]]) -> Msg:
        key = next(self._keys)
        answer: asyncio.Future[Msg | None] = asyncio.get_running_loop().create_future()
        self._answers[key] = answer
        try:
            await send(self._inbox + key)
            message = await answer
        finally:
            del self._answers[key]
        if message is None:
            raise self._unavailable()
        return message

    async def _take_answer(self, message: Msg) -> None:
        answer = self._answers.get(message.subject.removeprefix(self._inbox))
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def _send(self, subject: str, data: bytes, reply: str, headers: dict[str, str] | None) -> None:
        if self.lost.done():
            raise self._unavailable()
        try:
            await self._client.publish(subject, data, reply, headers)
        except MaxPayloadError:
            raise MessageTooLarge(f"the server of the bus takes at most {self._client.max_payload} bytes") from None
        except (OSError, Error) as error:
            self.lose(_reason(error))
            raise self._unavailable() from None

    async def _wait_for_room(self) -> None:
        try:
            await self.settle(_ROOM_S)
        except TimeoutError:
            raise BusUnavailable(f"the bus at {self.url} takes nothing more") from None

    async def _on_error(self, error: Exception) -> None:
        self._refused = isinstance(error, _NoTls | ssl.SSLError) or "authorization" in str(error).lower()
        # Later on there are errors that cost no connection, such as a refused subject.
        if not self._client.is_connected or isinstance(error, UnexpectedEOF | OSError):
            self.lose(_reason(error))

    async def _on_end(self) -> None:
        self.lose(_reason(self._client.last_error) if self._client.last_error else "the connection ended")

    def _unavailable(self) -> BusUnavailable:
        return BusUnavailable(f"lost the bus at {self.url}: {self.lost.result()}" if self.lost.done() else "no bus")


def _reason(error: Exception) -> str:
    """Why, in a few words; nats-py's begin with its name."""
    if isinstance(error, UnexpectedEOF):
        return "the server ended the connection"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        # The same words on every event loop.
        return os.strerror(error.errno)
    return str(error).removeprefix("nats: ").strip("'") or type(error).__name__
