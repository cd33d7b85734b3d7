"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

from trading_api.models.broker import Position, PositionSubscription
from trading_api.shared.ws import Durable, WsRoute


class PositionsWsRouter(WsRoute[PositionSubscription, Position]):
    """Every position of the account as it changes, whole; `qty` is 0 once, when it is closed."""

    route = "positions"
    request_type = PositionSubscription
    data_type = Position
    delivery = Durable
