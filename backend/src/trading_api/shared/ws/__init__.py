"""The WebSocket framework: declarations, generated routes, topics, the hub and connections. Knows no trading."""

from trading_api.shared.ws.declaration import Conflate, Delivery, Disconnect, Durable, WsRouter
from trading_api.shared.ws.route import AnyRoute, WsRoute

__all__ = ["AnyRoute", "Conflate", "Delivery", "Disconnect", "Durable", "WsRoute", "WsRouter"]
