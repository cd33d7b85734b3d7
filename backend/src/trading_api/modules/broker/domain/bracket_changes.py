"""Changes of brackets: with their entry, or of a position (TradingView's editPositionBrackets)."""

from decimal import Decimal

from trading_api.models.broker import OrderStatus
from trading_api.modules.broker.domain.amounts import ZERO
from trading_api.modules.broker.domain.bracket_sets import position_set
from trading_api.modules.broker.domain.brackets import (
    ROLES,
    bracket_order,
    cancel_all,
    members,
    park,
    protect,
    put_on_position,
    set_off,
)
from trading_api.modules.broker.domain.order import Brackets, Order, OrderRole
from trading_api.modules.broker.domain.order_changes import changed
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import step
from trading_api.modules.broker.domain.position import Position, opposite
from trading_api.modules.broker.domain.recorder import Recorder

_REPLACED = "Taken away by new brackets."


def follow_entry(rec: Recorder, entry: Order) -> list[Order]:
    """Make the brackets of an entry what it asks for after it was modified.

    Those that wait have its quantity; those that work cover what was opened. Returns those that meet the market.
    """
    present = {order.role: order for order in members(rec, entry.id)}
    covered = _covered(rec, entry, list(present.values()))
    fresh = []
    for role in ROLES:
        asked = bracket_order(role, entry.brackets, entry.symbol, opposite(entry.side), entry.qty)
        found = _match(rec, entry, role, present.get(role), asked, covered)
        if found is not None and found.status is OrderStatus.WORKING:
            fresh.append(found)
    return fresh


def edit_position(rec: Recorder, held: Position, asked: Brackets, custom_fields: str | None) -> list[Order]:
    """Make the brackets of a position these: one set for all of it. What is absent is taken away, what is there is
    changed in place and keeps its id, and its custom fields unless others are given. Returns those that are new or
    changed."""
    sets = rec.state.sets.protecting(held.symbol)
    working = [order for oco_id in sets for order in members(rec, oco_id) if order.status is OrderStatus.WORKING]
    fresh = []
    for role in ROLES:
        present = [order for order in working if order.role is role]
        cancel_all(rec, present[:-1], _REPLACED)
        found = _put(rec, held, role, present[-1] if present else None, asked, custom_fields)
        if found is not None:
            fresh.append(found)
    return fresh


def reprice(rec: Recorder, order: Order, template: Order) -> Order | None:
    """The bracket with the prices and the kind of the template; None when they are the same already.

    A trailing stop that gets another distance starts from the market as it is now.
    """
    kind = (template.limit_price, template.stop_type, template.trail_pips)
    same_stop = template.trail_pips is not None or order.stop_price == template.stop_price
    if kind == (order.limit_price, order.stop_type, order.trail_pips) and same_stop:
        return None
    priced = step(
        order,
        OrderEventKind.REPLACE,
        limit_price=template.limit_price,
        stop_price=template.stop_price,
        stop_type=template.stop_type,
        trail_pips=template.trail_pips,
        trail_anchor=None,
    )
    return set_off(rec, priced) if order.status is OrderStatus.WORKING else priced


def _covered(rec: Recorder, entry: Order, present: list[Order]) -> Decimal:
    """What the working brackets of an entry cover, or would cover if it had some: what it opened and is still held."""
    working = [order.remaining for order in present if order.status is OrderStatus.WORKING]
    held = rec.state.positions.get(entry.symbol)
    if working or present or held is None or held.side is not entry.side:
        return min(working, default=ZERO)
    return min(entry.filled_qty, held.qty)


def _match(
    rec: Recorder, entry: Order, role: OrderRole, present: Order | None, asked: Order | None, covered: Decimal
) -> Order | None:
    if asked is None:
        cancel_all(rec, [present] if present is not None else [], _REPLACED)
        return None
    if present is not None:
        return _change(rec, present, asked)
    held = rec.state.positions.get(entry.symbol)
    if covered and held is not None:
        made = put_on_position(rec, role, entry.brackets, held, entry.id, covered)
        protect(rec, entry.symbol)
        return made
    park(rec, entry, role)
    return None


def _change(rec: Recorder, present: Order, asked: Order) -> Order | None:
    waits = present.status is OrderStatus.INACTIVE
    priced = reprice(rec, present, asked)
    if waits and present.qty != asked.qty:
        priced = changed(priced or step(present, OrderEventKind.REPLACE), qty=asked.qty)
    return rec.order(priced) if priced is not None else None


def _put(
    rec: Recorder, held: Position, role: OrderRole, kept: Order | None, asked: Brackets, custom_fields: str | None
) -> Order | None:
    own = position_set(held.symbol)
    template = bracket_order(role, asked, held.symbol, held.closing_side, held.qty)
    if template is None:
        cancel_all(rec, [kept] if kept is not None else [], _REPLACED)
        return None
    if kept is None:
        return put_on_position(rec, role, asked, held, own, held.qty, custom_fields or "")
    told = kept.custom_fields if custom_fields is None else custom_fields
    priced = reprice(rec, kept, template)
    if priced is None and (kept.oco_id, kept.custom_fields) == (own, told):
        return None
    base = priced or step(kept, OrderEventKind.REPLACE)
    return rec.order(changed(base, oco_id=own, qty=kept.filled_qty + held.qty, custom_fields=told))
