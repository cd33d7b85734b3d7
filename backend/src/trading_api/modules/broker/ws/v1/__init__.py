"""Version 1 of the broker's WebSocket routes."""

from typing import TypeAlias

from trading_api.models.broker import BrokerConnection, BrokerConnectionSubscription
from trading_api.shared.ws import Conflate, WsRouter

BrokerConnectionWsRouter: TypeAlias = WsRouter[BrokerConnectionSubscription, BrokerConnection, Conflate]
"""The state of the broker's link to its quotes: the current one at once, then every change."""
