"""From what happened in the domain to what clients see. Its values are good already, so models do not check them."""

from __future__ import annotations

import json

from trading_api.models import broker as wire
from trading_api.models.broker.custom_fields import readable
from trading_api.modules.broker.domain.duration import Duration
from trading_api.modules.broker.domain.events import EquityEvent, Event, ExecutionEvent, OrderEvent, PositionEvent
from trading_api.modules.broker.domain.order import Brackets, Message, Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.worth import Equity

Update = wire.PlacedOrder | wire.Position | wire.Execution | wire.EquityData


def update_of(event: Event) -> Update:
    """What the WebSocket route of an event sends. Raises TypeError for events that have none."""
    if isinstance(event, OrderEvent):
        return placed_order(event.order)
    if isinstance(event, PositionEvent):
        return position(event.position)
    if isinstance(event, ExecutionEvent):
        return execution(event)
    if isinstance(event, EquityEvent):
        return equity(event.equity)
    raise TypeError(f"no route tells of a {type(event).__name__}")


def placed_order(order: Order) -> wire.PlacedOrder:
    """TradingView's PlacedOrder. Of an order its brackets as asked; of a bracket the trailing stop that it is."""
    asked = _own_brackets(order) if order.is_bracket else order.brackets
    return wire.PlacedOrder.model_construct(
        id=order.id,
        symbol=order.symbol,
        type=order.type,
        side=order.side,
        qty=order.qty,
        status=order.status,
        limitPrice=order.limit_price,
        stopPrice=order.stop_price,
        takeProfit=asked.take_profit,
        stopLoss=asked.stop_loss,
        guaranteedStop=asked.guaranteed_stop,
        trailingStopPips=asked.trailing_stop_pips,
        stopType=asked.stop_type,
        duration=_duration(order.duration),
        customFields=readable(json.loads(order.custom_fields)) if order.custom_fields else None,
        filledQty=order.filled_qty,
        avgPrice=order.avg_price,
        updateTime=order.updated_ms,
        parentId=order.parent_id,
        parentType=order.parent_type,
        isClose=order.is_close or None,
        message=_message(order.message),
    )


def position(held: Position) -> wire.Position:
    """TradingView's Position."""
    return wire.Position.model_construct(
        id=held.id, symbol=held.symbol, qty=held.qty, side=held.side, avgPrice=held.avg_price
    )


def execution(event: ExecutionEvent) -> wire.Execution:
    """TradingView's Execution, and what this backend adds."""
    trade = event.execution
    return wire.Execution.model_construct(
        id=trade.id,
        orderId=trade.order_id,
        symbol=trade.symbol,
        price=trade.price,
        qty=trade.qty,
        side=trade.side,
        time=trade.time_ms,
        commission=trade.commission,
        seq=event.seq,
    )


def equity(worth: Equity) -> wire.EquityData:
    """Of one that is known."""
    return wire.EquityData.model_construct(
        equity=worth.equity, balance=worth.balance, unrealizedPL=worth.unrealized, realizedPL=worth.realized
    )


def _own_brackets(order: Order) -> Brackets:
    return Brackets(trailing_stop_pips=order.trail_pips, stop_type=order.stop_type)


def _duration(duration: Duration) -> wire.OrderDuration:
    return wire.OrderDuration.model_construct(type=duration.kind.value, datetime=duration.until_ms)


def _message(message: Message | None) -> wire.OrderMessage | None:
    return None if message is None else wire.OrderMessage.model_construct(type=message.type, text=message.text)
