"""The bus as its users see it. Every implementation passes `tests/conformance/test_bus.py`."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from trading_api.shared.bus.message import Message

Handler = Callable[[Message], Awaitable[None]]
Responder = Callable[[bytes], Awaitable[bytes]]
Callback = Callable[[], Awaitable[None]]


class Subscription(Protocol):
    """What `subscribe` and `serve` give."""

    @property
    def subject(self) -> str:
        """As it was given."""
        ...

    @property
    def dropped(self) -> int:
        """How many messages were dropped because the handler was too slow for them (or requests: refused)."""
        ...

    async def unsubscribe(self) -> None:
        """When this returns, the handler neither runs nor will. A call under way is cancelled, unless it is the

        caller; whoever waits for its answer gets BusUnavailable. A second time does nothing.
        """
        ...


class Bus(Protocol):
    """Publish, subscribe, request. Delivery is at most once: what must not be lost stands in the store, and the bus

    says only that there is more. Subjects are tokens of printable ASCII, separated by dots; `*` (one token) and `>`
    (the rest) are for `subscribe` alone. `publish` reaches only `subscribe`, and `request` only `serve`.

    All methods belong to one event loop. Each may be cancelled at any time.
    """

    @property
    def connected(self) -> bool:
        """Whether messages go out and come in now."""
        ...

    async def connect(self) -> None:
        """Begin. Returns when the first attempt to connect ended, well or not, within 2 s at most; further attempts

        follow without end, at most 1 s apart. Raises TokenError; BusUnavailable once closed.
        """
        ...

    async def close(self) -> None:
        """Unsubscribe everything, fail what waits with BusUnavailable, disconnect. For good."""
        ...

    async def publish(self, subject: str, data: bytes) -> None:
        """Send to all that subscribed, in this process too; each gets what one bus published in that order.

        Returns before anybody has it. Raises BusUnavailable without a connection (nothing is kept for later),
        MessageTooLarge, SubjectError.
        """
        ...

    async def subscribe(self, subject: str, handler: Handler) -> Subscription:
        """Call `handler` for each message, one at a time. With a connection, nothing published after this returned is

        missed; without one it takes effect with the next. It outlives reconnects. While a handler is busy at most 4096
        messages and 8 MiB wait for it: beyond that the oldest are dropped and counted. What it raises is logged.
        """
        ...

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        """The answer of one of those that serve `subject`, in this process or another. `timeout`: seconds.

        Raises NoResponder and BusUnavailable at once, BusTimeout, ResponderFailed, ResponderBusy.
        """
        ...

    async def serve(self, subject: str, responder: Responder) -> Subscription:
        """Answer requests: of all that serve a subject, each request reaches one. Calls begin in the order of arrival

        and run side by side, at most 256; more are refused with ResponderBusy. What it raises is logged, never sent.
        """
        ...

    def on_reconnect(self, callback: Callback) -> None:
        """Call `callback` whenever a connection came back, or came late, and every subscription is in effect again:

        messages may have been missed, so look into the store.
        """
        ...
