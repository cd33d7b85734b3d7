"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

from trading_api.models.broker import BrokerConnection, BrokerConnectionSubscription
from trading_api.shared.ws import Conflate, WsRoute


class BrokerConnectionWsRouter(WsRoute[BrokerConnectionSubscription, BrokerConnection]):
    """The state of the broker's link to its quotes: the current one at once, then every change."""

    route = "broker-connection"
    request_type = BrokerConnectionSubscription
    data_type = BrokerConnection
    delivery = Conflate
