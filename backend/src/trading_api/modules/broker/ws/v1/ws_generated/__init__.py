"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

# routers: from b4d322e5d717b98a03bf235d files a3907b66af79428ba792b03b formatted

from trading_api.modules.broker.ws.v1.ws_generated.broker_connection import BrokerConnectionWsRouter
from trading_api.modules.broker.ws.v1.ws_generated.equity import EquityWsRouter
from trading_api.modules.broker.ws.v1.ws_generated.executions import ExecutionsWsRouter
from trading_api.modules.broker.ws.v1.ws_generated.orders import OrdersWsRouter
from trading_api.modules.broker.ws.v1.ws_generated.positions import PositionsWsRouter
from trading_api.shared.ws import AnyRoute

ROUTERS: tuple[AnyRoute, ...] = (
    BrokerConnectionWsRouter,
    EquityWsRouter,
    ExecutionsWsRouter,
    OrdersWsRouter,
    PositionsWsRouter,
)

__all__ = [
    "ROUTERS",
    "BrokerConnectionWsRouter",
    "EquityWsRouter",
    "ExecutionsWsRouter",
    "OrdersWsRouter",
    "PositionsWsRouter",
]
