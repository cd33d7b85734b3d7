"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

# routers: from fa305be231b7523fbb1f4a5b files 02e62df4f011cc4d40d71616 formatted

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
