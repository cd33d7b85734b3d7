"""A subscription or a server on a NatsBus. It outlives the connections."""

import contextlib
from collections.abc import Awaitable, Callable

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from trading_api.shared.bus.answering import Answering, Outcome, Reply
from trading_api.shared.bus.delivery import Delivery
from trading_api.shared.bus.errors import BusError
from trading_api.shared.bus.message import Message
from trading_api.shared.bus.nats_connection import NatsConnection
from trading_api.shared.bus.nats_wire import MESSAGES, REQUESTS, SERVERS, encode
from trading_api.shared.bus.tasks import stop

Forget = Callable[["NatsSubscription"], None]


class NatsSubscription:
    """Gives its listener what comes in, on one connection after the other."""

    def __init__(self, listener: Delivery | Answering, forget: Forget) -> None:
        self.listener = listener
        self._forget = forget
        self._connection: NatsConnection | None = None
        self._inner: Subscription | None = None

    @property
    def subject(self) -> str:
        return self.listener.subject

    @property
    def dropped(self) -> int:
        return self.listener.dropped

    async def attach(self, connection: NatsConnection) -> None:
        """Take effect on this connection, once. Raises BusUnavailable."""
        if self._connection is connection:
            return
        self._connection = connection
        if isinstance(self.listener, Delivery):
            inner = connection.subscribe(MESSAGES + self.subject, "", _to_delivery(self.listener))
        else:
            inner = connection.subscribe(REQUESTS + self.subject, SERVERS, _to_answering(self.listener, connection))
        self._inner = await inner

    async def unsubscribe(self) -> None:
        self._forget(self)
        # First, so that nobody asks one that no longer answers.
        inner, self._inner = self._inner, None
        if inner is not None and self._connection is not None:
            await self._connection.unsubscribe(inner)
        await stop([self.listener])


def _to_delivery(delivery: Delivery) -> Callable[[Msg], Awaitable[None]]:
    async def take(message: Msg) -> None:
        delivery.offer(Message(message.subject.removeprefix(MESSAGES), message.data))

    return take


def _to_answering(answering: Answering, connection: NatsConnection) -> Callable[[Msg], Awaitable[None]]:
    async def take(message: Msg) -> None:
        if message.reply:
            answering.offer(message.data, _reply_to(message.reply, connection))

    return take


def _reply_to(inbox: str, connection: NatsConnection) -> Reply:
    async def reply(outcome: Outcome) -> None:
        # Without a connection the caller knows already.
        with contextlib.suppress(BusError):
            data, headers = encode(outcome)
            await connection.publish(inbox, data, headers=headers)

    return reply
