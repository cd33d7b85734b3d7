"""The WebSocket framework: declarations, generated routes, topics, the hub and connections. Knows no trading."""

from trading_api.shared.ws.declaration import Conflate, Delivery, Disconnect, Durable, WsRouter
from trading_api.shared.ws.errors import CannotResume, TopicRefused
from trading_api.shared.ws.hub import Hub
from trading_api.shared.ws.limits import WsLimits
from trading_api.shared.ws.route import AnyRoute, WsRoute
from trading_api.shared.ws.service import DurableWsService, SequencedUpdate, WsService
from trading_api.shared.ws.statistics import WebSocketStatistics
from trading_api.shared.ws.topic import AnyTopic, Topic

__all__ = [
    "AnyRoute",
    "AnyTopic",
    "CannotResume",
    "Conflate",
    "Delivery",
    "Disconnect",
    "Durable",
    "DurableWsService",
    "Hub",
    "SequencedUpdate",
    "Topic",
    "TopicRefused",
    "WebSocketStatistics",
    "WsLimits",
    "WsRoute",
    "WsRouter",
    "WsService",
]
