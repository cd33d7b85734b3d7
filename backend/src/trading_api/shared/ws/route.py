"""The base of the generated classes in `ws_generated/`: one route of one version of a module."""

from typing import Any, ClassVar, Generic

from trading_api.shared.ws.declaration import DataT, Delivery, Disconnect, RequestT


class WsRoute(Generic[RequestT, DataT]):
    """A route as the generator wrote it: its name, its types and its delivery."""

    route: ClassVar[str]
    """Its name on the wire, as in `orders`."""
    request_type: ClassVar[Any]
    """`RequestT` at run time: a class, union or generic that pydantic validates."""
    data_type: ClassVar[Any]
    """`DataT` at run time."""
    delivery: ClassVar[type[Delivery]] = Disconnect


AnyRoute = type[WsRoute[Any, Any]]
