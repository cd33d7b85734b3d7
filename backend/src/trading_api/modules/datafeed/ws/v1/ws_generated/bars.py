"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

from trading_api.models.market import Bar, BarsSubscription
from trading_api.shared.ws import Disconnect, WsRoute


class BarsWsRouter(WsRoute[BarsSubscription, Bar]):
    """Live bars of one symbol: the current bar at once, then whenever it changes; it is complete when the next
    begins.
    """

    route = "bars"
    request_type = BarsSubscription
    data_type = Bar
    delivery = Disconnect
