"""Modifying one bracket by itself: its price, or the distance of a trailing stop. Its quantity follows its parent."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from trading_api.models.broker import OrderStatus, StopType
from trading_api.modules.broker.domain.amounts import text
from trading_api.modules.broker.domain.assessment import comparable
from trading_api.modules.broker.domain.bracket_changes import reprice
from trading_api.modules.broker.domain.bracket_checks import Reference, bracket_problems, position_reference
from trading_api.modules.broker.domain.brackets import asks_any, bracket_order
from trading_api.modules.broker.domain.canceling import tell_entry, with_bracket
from trading_api.modules.broker.domain.checks import entry_reference
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.fills import arrive
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.order import NO_BRACKETS, Brackets, Order, OrderRole
from trading_api.modules.broker.domain.order_changes import changed
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import step
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for
from trading_api.modules.broker.domain.position import opposite
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import ModifyOrder

_OWN_FIELDS = {
    Field.TAKE_PROFIT: Field.LIMIT_PRICE,
    Field.STOP_LOSS: Field.STOP_PRICE,
    Field.GUARANTEED_STOP: Field.STOP_PRICE,
}


def modify_bracket(rec: Recorder, order: Order, request: ModifyOrder, view: MarketView) -> str | Refusal:
    """A new price for a bracket. Its entry, if it is live, asks for it from then on."""
    if misplaced := tuple(_misplaced(order, request)):
        return invalid_for(*misplaced)
    price = _wanted(order, request)
    told = order.custom_fields if request.custom_fields is None else request.custom_fields
    if price is None:
        return _retold(rec, order, told)
    asked = with_bracket(_empty_of_kind(order), order, price)
    protected = opposite(order.side)
    problems = bracket_problems(view.instrument, protected, asked, _reference(rec, order, view))
    if problems:
        return invalid_for(*(_by_own_name(problem) for problem in problems))
    template = bracket_order(order.role, asked, order.symbol, order.side, order.qty)
    priced = reprice(rec, order, template) if template is not None else None
    if priced is None:
        return _retold(rec, order, told)
    moved = rec.order(changed(priced, custom_fields=told))
    tell_entry(rec, moved, price)
    if moved.status is OrderStatus.WORKING:
        arrive(rec, moved)
    return f"Order {order.id} was modified."


def _by_own_name(problem: Problem) -> Problem:
    """As a price of the bracket's own, which is how it was sent."""
    own = _OWN_FIELDS.get(problem.field) if problem.field is not None else None
    if problem.field is None or own is None:
        return problem
    return Problem(own, f"{own.shown}{problem.text.removeprefix(problem.field.shown)}")


def _retold(rec: Recorder, order: Order, custom_fields: str) -> str:
    """At most the client's own fields are other ones."""
    if custom_fields == order.custom_fields:
        return f"Order {order.id} is unchanged."
    rec.order(step(order, OrderEventKind.REPLACE, custom_fields=custom_fields))
    return f"Order {order.id} was modified."


def _misplaced(order: Order, request: ModifyOrder) -> Iterator[Problem]:
    """What does not belong to this bracket."""
    if request.qty is not None and request.qty != order.qty:
        yield Problem(Field.QTY, f"qty of order {order.id} follows what it protects: it is {text(order.qty)}.")
    if request.duration not in (None, order.duration):
        yield Problem(Field.DURATION, f"The duration of order {order.id} cannot change: a bracket is GTC.")
    if request.limit_price is not None and order.role is not OrderRole.TAKE_PROFIT:
        yield Problem(Field.LIMIT_PRICE, f"limitPrice does not belong to order {order.id}, a stop; leave it out.")
    if request.stop_price is not None and order.role is OrderRole.TAKE_PROFIT:
        yield Problem(Field.STOP_PRICE, f"stopPrice does not belong to order {order.id}, a limit; leave it out.")
    pips = _pips(request)
    # With a new distance the stop is set by the market: then a stop price that was read before is no wish.
    if (
        order.trail_pips is not None
        and pips in (None, order.trail_pips)
        and request.stop_price not in (None, order.stop_price)
    ):
        follows = f"stopPrice of order {order.id} follows the market; change trailingStopPips."
        yield Problem(Field.STOP_PRICE, follows)
    if asks_any(replace(request.brackets or NO_BRACKETS, trailing_stop_pips=None)) or (
        pips is not None and order.trail_pips is None
    ):
        yield Problem(None, f"Order {order.id} is a bracket itself; change its price.")


def _wanted(order: Order, request: ModifyOrder) -> Decimal | None:
    """The new price, or the new pips of a trailing stop; None when nothing is asked."""
    if order.role is OrderRole.TAKE_PROFIT:
        return request.limit_price
    return _pips(request) if order.trail_pips is not None else request.stop_price


def _pips(request: ModifyOrder) -> Decimal | None:
    return request.brackets.trailing_stop_pips if request.brackets is not None else None


def _empty_of_kind(order: Order) -> Brackets:
    """Brackets that ask for the same kind of stop as this order, so that a new price goes to the right field."""
    return Brackets(guaranteed_stop=order.stop_price) if order.stop_type is StopType.GUARANTEED_STOP else NO_BRACKETS


def _reference(rec: Recorder, order: Order, view: MarketView) -> Reference | None:
    """What its price is compared with: while it waits the entry's price, then where its position would close."""
    quote = comparable(view)
    entry = rec.state.orders.get(order.parent_id or "")
    if order.status is OrderStatus.INACTIVE and entry is not None:
        return entry_reference(entry, quote)
    return position_reference(opposite(order.side), quote) if quote is not None else None
