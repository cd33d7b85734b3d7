"""Modifying an entry order (FIX OrderCancelReplaceRequest; TradingView's modifyOrder, which sends the whole order)."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from trading_api.models.broker import OrderType, Side
from trading_api.modules.broker.domain.amounts import ZERO, text
from trading_api.modules.broker.domain.assessment import NO_BRACKETS_TO_CLOSE, comparable
from trading_api.modules.broker.domain.bracket_changes import follow_entry
from trading_api.modules.broker.domain.brackets import asks_any, drop_parked
from trading_api.modules.broker.domain.checks import duration_problems, order_problems
from trading_api.modules.broker.domain.equity import require_valued
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.fills import arrive, end, reducible
from trading_api.modules.broker.domain.finding import live_order
from trading_api.modules.broker.domain.margin import free_margin, not_enough
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.modifying_brackets import modify_bracket
from trading_api.modules.broker.domain.netting import opening_qty
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import step
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for
from trading_api.modules.broker.domain.placing import unknown_market
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import ModifyOrder


def modify(rec: Recorder, request: ModifyOrder) -> str | Refusal:
    """New terms for a live order; refused whole, or done whole.

    A quantity above what is filled goes on, equal to it ends the order as Filled, below it is refused (trading.md). New
    prices meet the market like a new order's. Margin is checked again.
    """
    order = live_order(rec.state, request.order_id)
    if isinstance(order, Refusal):
        return order
    view = rec.view(order.symbol)
    if view is None:
        return unknown_market(order.symbol)
    if fixed := tuple(_fixed(rec, order, request)):
        return invalid_for(*fixed)
    if order.is_bracket:
        return modify_bracket(rec, order, request, view)
    return _modify_entry(rec, order, _changed(order, request, view), view)


def _fixed(rec: Recorder, order: Order, request: ModifyOrder) -> Iterator[Problem]:
    """What may not change: another symbol, type or side is another order, and a stop that was hit is over."""
    if request.symbol not in (None, order.symbol):
        named = rec.view(request.symbol or "")
        if named is None or named.instrument.symbol != order.symbol:
            yield Problem(Field.SYMBOL, f"The symbol of order {order.id} cannot change: it is {order.symbol}.")
    if request.type not in (None, order.type):
        yield Problem(Field.TYPE, f"The type of order {order.id} cannot change: it is {_coded(order.type)}.")
    if request.side not in (None, order.side):
        yield Problem(Field.SIDE, f"The side of order {order.id} cannot change: it is {_coded(order.side)}.")
    if request.is_close not in (None, order.is_close):
        is_close = str(order.is_close).lower()
        yield Problem(Field.IS_CLOSE, f"isClose of order {order.id} cannot change: it is {is_close}.")
    if order.triggered and request.stop_price not in (None, order.stop_price):
        fixed = f"cannot change any more: it was triggered at {text(order.stop_price or ZERO)}."
        yield Problem(Field.STOP_PRICE, f"stopPrice of order {order.id} {fixed}")


def _coded(value: OrderType | Side) -> str:
    """A value's name, and the number that clients send."""
    return f"{value.name} ({value.value})"


def _changed(order: Order, request: ModifyOrder, view: MarketView) -> Order:
    """The order with the new terms, which are not yet checked."""
    given = {
        name: value
        for name in ("qty", "limit_price", "stop_price", "brackets", "custom_fields")
        if (value := getattr(request, name)) is not None
    }
    changed = replace(order, **given)
    if request.duration is None or request.duration == order.duration:
        return changed
    return replace(changed, duration=request.duration, expires_ms=request.duration.expires_ms(view.session_end_ms))


def _modify_entry(rec: Recorder, order: Order, changed: Order, view: MarketView) -> str | Refusal:
    if changed == order:
        return f"Order {order.id} is unchanged."
    if problems := _problems(rec, order, changed, view):
        return invalid_for(*problems)
    if changed.remaining == 0:
        return _complete(rec, changed)
    if not changed.is_close and opening_qty(rec.state.positions.get(order.symbol), order.side, changed.remaining):
        # It may fill with its new terms, and then it is too late to ask.
        require_valued(rec.state, rec.marks)
    if short := _margin_problem(rec, order, changed):
        return invalid_for(Problem(None, short))
    repriced = _prices(order) != _prices(changed)
    arrived = view.price(changed.side) is not None if repriced else order.arrived
    replaced = rec.order(step(changed, OrderEventKind.REPLACE, arrived=arrived))
    fresh = follow_entry(rec, replaced)
    _meet_again(rec, order, replaced)
    for bracket in fresh:
        if bracket.id in rec.state.orders:
            arrive(rec, rec.state.orders[bracket.id])
    return f"Order {order.id} was modified."


def _margin_problem(rec: Recorder, order: Order, changed: Order) -> str | None:
    """Why the change takes more than is free, or None. What the order holds already counts as free for it."""
    state, held = rec.state, rec.state.positions.get(order.symbol)
    after = state.reservations.total_if(order.symbol, held, changed)
    if after <= state.reserved:
        return None
    gone = replace(order, qty=order.filled_qty)
    without = state.reservations.total_if(order.symbol, held, gone)
    available = free_margin(state, rec.marks) + state.reserved - without
    if after - without <= available:
        return None
    of_fees = state.reservations.fees_if
    fees = of_fees(order.symbol, held, changed) - of_fees(order.symbol, held, gone)
    return not_enough(state, after - without, fees, available)


def _problems(rec: Recorder, order: Order, changed: Order, view: MarketView) -> tuple[Problem, ...]:
    if order.filled_qty and changed.qty == order.filled_qty:
        return ()
    # A stop that stays where it was is not judged again: the market may just be reaching it.
    settled = order.triggered or changed.stop_price == order.stop_price
    problems = order_problems(view.instrument, changed, comparable(view), triggered=settled)
    if changed.duration != order.duration:
        problems += duration_problems(changed.duration, view.now_ms)
    return problems or tuple(_objections(rec, order, changed))


def _objections(rec: Recorder, order: Order, changed: Order) -> Iterator[Problem]:
    """What stands against terms that are well formed."""
    if changed.is_close and asks_any(changed.brackets):
        yield NO_BRACKETS_TO_CLOSE
    if changed.qty < order.filled_qty:
        below = f"qty {text(changed.qty)} is below what is filled, {text(order.filled_qty)}."
        yield Problem(Field.QTY, below)
    if changed.is_close and changed.qty != order.qty and changed.remaining > reducible(rec, order):
        yield Problem(Field.QTY, f"Only {text(reducible(rec, order))} of {order.symbol} are left to close.")


def _complete(rec: Recorder, changed: Order) -> str:
    """The quantity asked for is what is filled: nothing is left to do (FIX: OrderQty = CumQty)."""
    done = rec.order(step(changed, OrderEventKind.REPLACE_TO_FILLED))
    drop_parked(rec, done, "Its order is filled and has opened no position.")
    return f"Order {done.id} is Filled: its quantity is what was filled."


def _meet_again(rec: Recorder, before: Order, order: Order) -> None:
    """New prices meet the market as on arrival; an order that is now IOC or FOK does not rest."""
    if _prices(before) != _prices(order) or order.duration.is_immediate:
        order = arrive(rec, order)
    if order.is_live and order.duration.is_immediate:
        kind = order.duration.kind.value
        end(rec, order, OrderEventKind.CANCEL, f"{kind}: nothing to trade with at once.")


def _prices(order: Order) -> tuple[Decimal | None, Decimal | None]:
    return order.limit_price, order.stop_price
