"""What a developer writes in `ws/v1/__init__.py` to have a WebSocket route (W01)."""

from typing import Generic

from typing_extensions import TypeVar


class Delivery:
    """What happens to updates that a subscriber does not read in time. The subclasses are its kinds (W06)."""


class Conflate(Delivery):
    """Keep only the newest update of each key: for values that replace each other, such as quotes.

    Where a topic has several keys, the data's class says for clients where the key stands in it, as a JSON pointer:
    `conflate_key: ClassVar[str] = "/symbol"`.
    """


class Disconnect(Delivery):
    """Close the connection of a subscriber whose queue is full, so that it never misses one unknowingly."""


class Durable(Disconnect):
    """As Disconnect; updates carry `seq`, and subscribing with `since` replays what was missed (W07)."""


RequestT = TypeVar("RequestT")
DataT = TypeVar("DataT")
DeliveryT = TypeVar("DeliveryT", bound=Delivery, default=Disconnect)


class WsRouter(Generic[RequestT, DataT, DeliveryT]):
    """Declares a route: `OrdersWsRouter: TypeAlias = WsRouter[OrderSubscription, PlacedOrder, Durable]`.

    `RequestT` is the payload of a subscription, `DataT` that of an update. The alias names the route: its name without
    `WsRouter`, in kebab case (`BrokerConnectionWsRouter` is `broker-connection`). Only named, never made.
    """
