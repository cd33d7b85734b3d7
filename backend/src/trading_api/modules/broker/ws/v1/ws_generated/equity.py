"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

from trading_api.models.broker import EquityData, EquitySubscription
from trading_api.shared.ws import Conflate, WsRoute


class EquityWsRouter(WsRoute[EquitySubscription, EquityData]):
    """What the account is worth: now, after every fill, and at most once a second as quotes move."""

    route = "equity"
    request_type = EquitySubscription
    data_type = EquityData
    delivery = Conflate
