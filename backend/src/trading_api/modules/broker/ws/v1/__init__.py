"""Version 1 of the broker's WebSocket routes. An unknown account id means the account of whoever asks."""

from typing import TypeAlias

from trading_api.models.broker import (
    BrokerConnection,
    BrokerConnectionSubscription,
    EquityData,
    EquitySubscription,
    Execution,
    ExecutionSubscription,
    OrderSubscription,
    PlacedOrder,
    Position,
    PositionSubscription,
)
from trading_api.shared.ws import Conflate, Durable, WsRouter

BrokerConnectionWsRouter: TypeAlias = WsRouter[BrokerConnectionSubscription, BrokerConnection, Conflate]
"""The state of the broker's link to its quotes: the current one at once, then every change."""

OrdersWsRouter: TypeAlias = WsRouter[OrderSubscription, PlacedOrder, Durable]
"""Every order of the account as it changes, whole."""

PositionsWsRouter: TypeAlias = WsRouter[PositionSubscription, Position, Durable]
"""Every position of the account as it changes, whole; `qty` is 0 once, when it is closed."""

ExecutionsWsRouter: TypeAlias = WsRouter[ExecutionSubscription, Execution, Durable]
"""Every fill of the account."""

EquityWsRouter: TypeAlias = WsRouter[EquitySubscription, EquityData, Conflate]
"""What the account is worth: now, after every fill, and at most once a second as quotes move."""
