"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

# routers: from f5b7fa3720b868e887282b99 files c9034215df1868d2df1f0c11 formatted

from trading_api.modules.broker.ws.v1.ws_generated.broker_connection import BrokerConnectionWsRouter
from trading_api.shared.ws import AnyRoute

ROUTERS: tuple[AnyRoute, ...] = (BrokerConnectionWsRouter,)

__all__ = [
    "ROUTERS",
    "BrokerConnectionWsRouter",
]
