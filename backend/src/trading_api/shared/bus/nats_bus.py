"""The bus of several processes: NATS."""

import asyncio
import itertools
import logging
import random
from collections.abc import Iterator, Sequence

from trading_api.shared.bus.answering import Answering
from trading_api.shared.bus.bus import Callback, Handler, Responder
from trading_api.shared.bus.delivery import Delivery
from trading_api.shared.bus.errors import BusTimeout, BusUnavailable, TokenError
from trading_api.shared.bus.message import check_size
from trading_api.shared.bus.nats_connection import ConnectFailed, NatsConnection
from trading_api.shared.bus.nats_log import ConnectionLog
from trading_api.shared.bus.nats_subscription import NatsSubscription
from trading_api.shared.bus.nats_wire import MESSAGES, REQUESTS, decode
from trading_api.shared.bus.subject import check_pattern, check_subject
from trading_api.shared.bus.tasks import stop
from trading_api.shared.bus.token_file import read_token

logger = logging.getLogger(__name__)

# Seconds between two attempts: the first, doubled up to the last.
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0
_CONNECT_S = 2.0
_SETTLE_S = 5.0


class NatsBus:
    """Publishes only while connected, and keeps its subscriptions over every reconnect."""

    def __init__(self, urls: Sequence[str], token_file: str = "") -> None:
        self._urls = tuple(urls)
        self._token_file = token_file
        self._subscriptions: dict[NatsSubscription, None] = {}
        self._callbacks: list[Callback] = []
        self._calls: set[asyncio.Task[None]] = set()
        # The one in use, and the one that was made last.
        self._connection: NatsConnection | None = None
        self._newest: NatsConnection | None = None
        self._ready = self._closed = False
        self._keeper: asyncio.Task[None] | None = None
        self._attempted: asyncio.Future[None] | None = None
        self._log = ConnectionLog()

    @property
    def connected(self) -> bool:
        return self._ready and self._connection is not None and not self._connection.lost.done()

    async def connect(self) -> None:
        self._refuse_if_closed()
        if self._keeper is None or self._attempted is None:
            if self._token_file:
                read_token(self._token_file)
            self._attempted = asyncio.get_running_loop().create_future()
            self._keeper = asyncio.create_task(self._keep_connected(self._attempted))
        await asyncio.wait([self._attempted], timeout=_CONNECT_S)

    async def close(self) -> None:
        self._closed, self._ready = True, False
        subscriptions, self._subscriptions = list(self._subscriptions), {}
        # While the connection is there: whoever waits for an answer of ours is told.
        await stop([each.listener for each in subscriptions])
        tasks = {task for task in (self._keeper, *self._calls) if task is not None}
        tasks = {task for task in tasks if task is not asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        # Again: the keeper may have been about to.
        if self._newest is not None:
            await self._newest.close()

    async def publish(self, subject: str, data: bytes) -> None:
        check_subject(subject)
        check_size(subject, data)
        await self._current().publish(MESSAGES + subject, data)

    async def subscribe(self, subject: str, handler: Handler) -> NatsSubscription:
        check_pattern(subject)
        return await self._add(Delivery(subject, handler))

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        check_subject(subject)
        check_size(subject, data)
        try:
            answer = await self._current().ask(REQUESTS + subject, data, timeout=timeout)
        except TimeoutError:
            raise BusTimeout(f"no answer on {subject!r} within {timeout:g} s") from None
        return decode(subject, answer)

    async def serve(self, subject: str, responder: Responder) -> NatsSubscription:
        check_subject(subject)
        return await self._add(Answering(subject, responder))

    def on_reconnect(self, callback: Callback) -> None:
        self._callbacks.append(callback)

    async def _add(self, listener: Delivery | Answering) -> NatsSubscription:
        self._refuse_if_closed()
        subscription = NatsSubscription(listener, lambda each: self._subscriptions.pop(each, None))
        self._subscriptions[subscription] = None
        connection = self._connection
        if connection is not None:
            try:
                await subscription.attach(connection)
                await connection.settle(_SETTLE_S)
            except (BusUnavailable, TimeoutError):
                # It takes effect with the next connection.
                connection.lose("the server did not take a subscription")
            except asyncio.CancelledError:
                # Nobody will ever hold it.
                await subscription.unsubscribe()
                raise
        return subscription

    async def _keep_connected(self, attempted: "asyncio.Future[None]") -> None:
        pauses = _pauses()
        for url in itertools.cycle(self._urls):
            try:
                connection = await self._open(url)
            except ConnectFailed as error:
                self._log.failed(url, str(error), refused=error.refused)
            except TokenError as error:
                self._log.failed(url, str(error), refused=True)
            else:
                pauses = _pauses()
                await self._live(connection, attempted)
            if not attempted.done():
                attempted.set_result(None)
            await asyncio.sleep(next(pauses))

    async def _open(self, url: str) -> NatsConnection:
        # Read anew each time: the server may have got another token meanwhile.
        token = read_token(self._token_file) if self._token_file else ""
        connection = self._newest = NatsConnection(url)
        try:
            await connection.open(token)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _live(self, connection: NatsConnection, attempted: "asyncio.Future[None]") -> None:
        """Use a connection until it is lost."""
        self._connection = connection
        try:
            await self._restore(connection)
            self._ready = True
            self._log.connected(connection.url)
            if attempted.done():
                self._call_back()
            else:
                attempted.set_result(None)
            await connection.watch()
        except (BusUnavailable, TimeoutError):
            connection.lose("the server did not take the subscriptions")
        finally:
            self._connection, self._ready = None, False
            await connection.close()
        self._log.lost(connection.url, connection.lost.result())

    async def _restore(self, connection: NatsConnection) -> None:
        for subscription in list(self._subscriptions):
            # It may have ended while those before it were sent.
            if subscription in self._subscriptions:
                await subscription.attach(connection)
        await connection.settle(_SETTLE_S)

    def _call_back(self) -> None:
        for callback in self._callbacks:
            call = asyncio.create_task(_logged(callback))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    def _current(self) -> NatsConnection:
        self._refuse_if_closed()
        if self._connection is None or not self._ready:
            raise BusUnavailable(f"not connected to the bus at {', '.join(self._urls)}")
        return self._connection

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise BusUnavailable("the bus is closed")


def _pauses() -> Iterator[float]:
    """Seconds before each further attempt; a little by chance, so that not all processes come at once."""
    pause = _FIRST_PAUSE_S
    while True:
        yield pause * random.uniform(0.5, 1)
        pause = min(2 * pause, _LAST_PAUSE_S)


async def _logged(callback: Callback) -> None:
    try:
        await callback()
    except Exception:
        logger.exception("a callback after a reconnect failed")
