"""A WebSocket route as the contract describes it, and how stubborn a client is about it."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from .answer import Json

RequestT = TypeVar("RequestT")
DataT = TypeVar("DataT")


@dataclass(frozen=True, slots=True)
class StreamRoute(Generic[RequestT, DataT]):
    """`name` as in `orders`; `data` reads the payload of an update.

    `conflate`: updates replace each other, so a slow reader misses old ones; otherwise it gets SlowConsumer.
    `key`: a JSON pointer to what an update is about, as in `/symbol`; only updates about the same replace each other.
    `durable`: updates carry `seq`, and a subscription can begin after one.
    """

    name: str
    data: Json[DataT]
    conflate: bool = False
    durable: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """Bounds and patience of the streams of a client. All times are seconds.

    Between attempts to connect it waits from 0 to `base * 2 ** n`, at most `longest` (full jitter); n starts anew
    after a connection that lasted `longest`.
    """

    queue_size: int = 1024
    """Updates that wait for their reader, per subscription."""
    base: float = 0.2
    longest: float = 10.0
    first_connect: float = 10.0
    """For so long the first answer to a subscription is waited for, over all connections; then TransportError."""
    give_up_after: float | None = None
    """For so long a lost connection is tried for until a topic is subscribed again; None tries for ever."""
    answer_timeout: float = 10.0
    """A server that does not answer a subscription for so long is taken for dead."""
    ping_interval: float = 20.0
    """Between pings; one that is not answered for as long means that the connection is dead."""
    burst: int = 100
    frames_per_second: float = 40.0
    """How fast many topics are subscribed to again, after the first `burst`; servers refuse floods."""

    def ceiling(self, retries: int) -> float:
        """The longest wait after `retries` failures in a row."""
        return min(self.longest, self.base * 2.0 ** min(retries, 60))
