"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

# routers: from 242e03e1e231c30296cce4bf files 02e62df4f011cc4d40d71616 formatted

from trading_api.modules.datafeed.ws.v1.ws_generated.bars import BarsWsRouter
from trading_api.modules.datafeed.ws.v1.ws_generated.quotes import QuotesWsRouter
from trading_api.shared.ws import AnyRoute

ROUTERS: tuple[AnyRoute, ...] = (
    BarsWsRouter,
    QuotesWsRouter,
)

__all__ = [
    "ROUTERS",
    "BarsWsRouter",
    "QuotesWsRouter",
]
