"""Executing working orders by hand (`/debug/execute-orders`, development only): the way to part fills, since quotes
carry no size and so fill all at once."""

from decimal import Decimal

from trading_api.models.broker import OrderStatus
from trading_api.modules.broker.domain.amounts import text
from trading_api.modules.broker.domain.checks import quantity_problems
from trading_api.modules.broker.domain.equity import require_valued
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.fills import execute
from trading_api.modules.broker.domain.finding import live_order
from trading_api.modules.broker.domain.number_checks import number_problem, ticks
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for
from trading_api.modules.broker.domain.placing import unknown_market
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import ExecuteOrders, Fill
from trading_api.modules.broker.domain.reservations import resting_price


def execute_orders(rec: Recorder, request: ExecuteOrders) -> str | Refusal:
    """Trade the named orders, in order, or (None) all working entries. Refused whole if one cannot be traded so.

    The same check of margin and the same consequences as of a fill by the market; only the price and the quantity are
    given, and the market may be closed.
    """
    fills = request.fills
    if fills is None:
        fills = tuple(Fill(order.id) for order in _working_entries(rec))
    for fill in fills:
        refusal = _refusal(rec, fill)
        if refusal is not None:
            return refusal
    require_valued(rec.state, rec.marks)
    executed = sum(_execute(rec, fill) for fill in fills)
    return f"{executed} orders were executed." if executed != 1 else "1 order was executed."


def _working_entries(rec: Recorder) -> list[Order]:
    live = rec.state.orders.values()
    return [order for order in live if order.status is OrderStatus.WORKING and not order.is_bracket]


def _refusal(rec: Recorder, fill: Fill) -> Refusal | None:
    order = live_order(rec.state, fill.order_id, Field.FILL_ORDER_ID)
    if isinstance(order, Refusal):
        return order
    view = rec.view(order.symbol)
    if view is None:
        return unknown_market(order.symbol)
    if order.status is not OrderStatus.WORKING:
        waits = f"Order {order.id} waits for its parent; it cannot be executed."
        return invalid_for(Problem(Field.FILL_ORDER_ID, waits))
    problems = [*(quantity_problems(Field.FILL_QTY, fill.qty, view.instrument) if fill.qty is not None else ())]
    price = fill.price if fill.price is not None else resting_price(order)
    if price_problem := number_problem(Field.FILL_PRICE, price, ticks(view.instrument)):
        problems.append(price_problem)
    if problems:
        return invalid_for(*problems)
    if fill.qty is not None and fill.qty > order.remaining:
        too_much = f"Only {text(order.remaining)} of order {order.id} are left to fill."
        return invalid_for(Problem(Field.FILL_QTY, too_much))
    return None


def _execute(rec: Recorder, fill: Fill) -> int:
    """1 if something was traded. One before it may have ended or shrunk the order."""
    order = rec.state.orders.get(fill.order_id)
    if order is None:
        return 0
    qty: Decimal = order.remaining if fill.qty is None else min(fill.qty, order.remaining)
    done = execute(rec, order, qty, fill.price if fill.price is not None else resting_price(order))
    return int(done.filled_qty != order.filled_qty)
