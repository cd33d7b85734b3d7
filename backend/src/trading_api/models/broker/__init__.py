"""What the broker says over the wire (trading.md). Money is in the account's currency, times are ms UTC."""

from trading_api.models.broker.account import AccountInfo, EquityData, EquitySubscription
from trading_api.models.broker.connection import BrokerConnection, BrokerConnectionSubscription
from trading_api.models.broker.debugging import ExecuteOrdersRequest, OrderToExecute
from trading_api.models.broker.enumerations import (
    ConnectionStatus,
    OrderStatus,
    OrderType,
    ParentType,
    Side,
    StopType,
)
from trading_api.models.broker.executions import Execution, ExecutionSubscription
from trading_api.models.broker.leverage import LeverageInfo, LeveragePreview, LeverageSetRequest, LeverageSetResult
from trading_api.models.broker.orders import (
    AskBid,
    ChangedOrder,
    OrderDuration,
    OrderMessage,
    OrderSubscription,
    PlacedOrder,
    PlacedOrderResult,
    PreOrder,
)
from trading_api.models.broker.positions import Brackets, EditBracketsRequest, Position, PositionSubscription
from trading_api.models.broker.preview import OrderPreview, PreviewRow, PreviewSection
from trading_api.models.broker.results import OperationResult

__all__ = [
    "AccountInfo",
    "AskBid",
    "Brackets",
    "BrokerConnection",
    "BrokerConnectionSubscription",
    "ChangedOrder",
    "ConnectionStatus",
    "EditBracketsRequest",
    "EquityData",
    "EquitySubscription",
    "ExecuteOrdersRequest",
    "Execution",
    "ExecutionSubscription",
    "LeverageInfo",
    "LeveragePreview",
    "LeverageSetRequest",
    "LeverageSetResult",
    "OperationResult",
    "OrderDuration",
    "OrderMessage",
    "OrderPreview",
    "OrderStatus",
    "OrderSubscription",
    "OrderToExecute",
    "OrderType",
    "ParentType",
    "PlacedOrder",
    "PlacedOrderResult",
    "Position",
    "PositionSubscription",
    "PreOrder",
    "PreviewRow",
    "PreviewSection",
    "Side",
    "StopType",
]
