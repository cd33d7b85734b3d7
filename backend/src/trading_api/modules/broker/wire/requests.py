"""From what clients send to what the domain is asked."""

from __future__ import annotations

import json

from trading_api.models import broker as wire
from trading_api.models.broker.custom_fields import CustomFields
from trading_api.modules.broker.domain.duration import GOOD_TILL_CANCEL, Duration, parse_duration
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.order import Brackets
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.requests import EditBrackets, ExecuteOrders, Fill, ModifyOrder, PlaceOrder
from trading_api.modules.broker.domain.unreadable import Unreadable


def place_order(order: wire.PreOrder) -> PlaceOrder:
    """Raises Unreadable for a duration that there is none of.

    `currentQuotes` and `seenPrice` say what the user saw; orders trade at the quote that there is.
    """
    return PlaceOrder(
        symbol=order.symbol,
        type=order.type,
        side=order.side,
        qty=order.qty,
        limit_price=order.limitPrice,
        stop_price=order.stopPrice,
        brackets=brackets(order),
        duration=_duration(order.duration) or GOOD_TILL_CANCEL,
        custom_fields=_custom_fields(order.customFields) or "",
        is_close=bool(order.isClose),
    )


def modify_order(order_id: str, order: wire.ChangedOrder) -> ModifyOrder:
    """Raises Unreadable for a duration that there is none of, and for the id of another order."""
    if order.id not in (None, order_id):
        raise Unreadable(Problem(Field.REPEATED_ID, f"id {order.id!r} is not that of the path, {order_id!r}"))
    return ModifyOrder(
        order_id=order_id,
        symbol=order.symbol,
        type=order.type,
        side=order.side,
        qty=order.qty,
        limit_price=order.limitPrice,
        stop_price=order.stopPrice,
        brackets=brackets(order),
        duration=_duration(order.duration),
        custom_fields=_custom_fields(order.customFields),
        is_close=order.isClose,
    )


def edit_brackets(position_id: str, request: wire.EditBracketsRequest) -> EditBrackets:
    return EditBrackets(position_id, brackets(request.brackets), _custom_fields(request.customFields))


def execute_orders(request: wire.ExecuteOrdersRequest | None) -> ExecuteOrders:
    """Without a request, or without `orders` in it: all that work. An empty list names none."""
    if request is None or request.orders is None:
        return ExecuteOrders()
    return ExecuteOrders(tuple(Fill(each.orderId, each.qty, each.price) for each in request.orders))


def brackets(terms: wire.PreOrder | wire.ChangedOrder | wire.Brackets) -> Brackets:
    """The protection that is asked for."""
    return Brackets(
        take_profit=terms.takeProfit,
        stop_loss=terms.stopLoss,
        guaranteed_stop=terms.guaranteedStop,
        trailing_stop_pips=terms.trailingStopPips,
        stop_type=terms.stopType,
    )


def _duration(duration: wire.OrderDuration | None) -> Duration | None:
    return None if duration is None else parse_duration(duration.type, duration.datetime)


def _custom_fields(fields: CustomFields | None) -> str | None:
    return None if fields is None else json.dumps(fields, separators=(",", ":"), allow_nan=False)
