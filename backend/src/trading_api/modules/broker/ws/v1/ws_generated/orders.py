"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

from trading_api.models.broker import OrderSubscription, PlacedOrder
from trading_api.shared.ws import Durable, WsRoute


class OrdersWsRouter(WsRoute[OrderSubscription, PlacedOrder]):
    """Every order of the account as it changes, whole."""

    route = "orders"
    request_type = OrderSubscription
    data_type = PlacedOrder
    delivery = Durable
