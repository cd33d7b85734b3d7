"""Brackets: the orders that protect an entry or a position (trading.md, "Brackets on an order are child orders").

Those of an entry that waits are Inactive under it (`parentType` 1). As it fills they become Working under the position
(`parentType` 2) for the quantity that it opened. They are one-cancels-other (FIX ContingencyType, 1385, value 1) and
only ever reduce. How much each set covers is decided anew after every trade on the symbol, by one rule (`protect`):

- Together they cover no more than the position. The newest entry's set is served first: the oldest shrinks first.
- The position's own set (editPositionBrackets) covers all that no entry's set covers: it grows with the position too.
- A set that covers nothing is canceled: the position is closed, or is on the other side now.
"""

from decimal import Decimal

from trading_api.models.broker import OrderStatus, OrderType, ParentType, Side, StopType
from trading_api.modules.broker.domain.amounts import ZERO, exact
from trading_api.modules.broker.domain.bracket_sets import position_set
from trading_api.modules.broker.domain.order import Brackets, Order, OrderRole
from trading_api.modules.broker.domain.order_changes import changed
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import ended, step
from trading_api.modules.broker.domain.position import Position, opposite
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.trailing import follow

ROLES = (OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT)
"""The stop first: if one quote reaches both, it wins (trading.md)."""


def bracket_order(role: OrderRole, asked: Brackets, symbol: str, side: Side, qty: Decimal) -> Order | None:
    """The order of that role, as yet without id and parent; None when none was asked for. `side` is its own."""
    if role is OrderRole.TAKE_PROFIT:
        if asked.take_profit is None:
            return None
        plain = Order("", symbol, OrderType.LIMIT, side, qty, OrderStatus.PLACING, role=role)
        return changed(plain, limit_price=asked.take_profit)
    stop = Order("", symbol, OrderType.STOP, side, qty, OrderStatus.PLACING, role=role)
    if asked.stop_loss is not None:
        return changed(stop, stop_price=asked.stop_loss, stop_type=StopType.STOP_LOSS)
    if asked.guaranteed_stop is not None:
        return changed(stop, stop_price=asked.guaranteed_stop, stop_type=StopType.GUARANTEED_STOP)
    if asked.trailing_stop_pips is not None:
        return changed(stop, trail_pips=asked.trailing_stop_pips, stop_type=StopType.TRAILING_STOP)
    return None


def asks_any(asked: Brackets) -> bool:
    """Whether any protection was asked for."""
    prices = (asked.take_profit, asked.stop_loss, asked.guaranteed_stop, asked.trailing_stop_pips)
    return any(price is not None for price in prices)


def members(rec: Recorder, oco_id: str) -> list[Order]:
    """The live orders of a set."""
    return [rec.state.orders[order_id] for order_id in rec.state.sets.members(oco_id)]


def park(rec: Recorder, entry: Order, role: OrderRole) -> None:
    """Put a bracket under an entry that waits: Inactive, for all of its quantity."""
    made = bracket_order(role, entry.brackets, entry.symbol, opposite(entry.side), entry.qty)
    if made is not None:
        under = changed(made, parent_id=entry.id, parent_type=ParentType.ORDER, oco_id=entry.id)
        _announce(rec, under, OrderEventKind.PARK)


def put_on_position(
    rec: Recorder, role: OrderRole, asked: Brackets, held: Position, oco_id: str, qty: Decimal, custom_fields: str = ""
) -> Order | None:
    """Put a bracket on the position: Working at once, for `qty`; None when none of that role was asked."""
    made = bracket_order(role, asked, held.symbol, held.closing_side, qty)
    if made is None:
        return None
    position = ParentType.POSITION
    under = changed(made, parent_id=held.id, parent_type=position, oco_id=oco_id, custom_fields=custom_fields)
    return _announce(rec, set_off(rec, under), OrderEventKind.ACCEPT)


def settle(rec: Recorder, order: Order, opened: Decimal) -> list[Order]:
    """The consequences of a trade for all brackets of its symbol. Returns those that have begun to work by it.

    `order` is as it is after the trade, which opened that many units.
    """
    if order.is_bracket:
        if order.is_final and order.oco_id is not None:
            cancel_all(rec, members(rec, order.oco_id), "The other bracket filled.")
        protect(rec, order.symbol)
        return []
    begun = protect(rec, order.symbol, order, opened)
    if order.is_final:
        drop_parked(rec, order, "Its order filled without opening a position.")
    return begun


@exact
def protect(rec: Recorder, symbol: str, entry: Order | None = None, opened: Decimal = ZERO) -> list[Order]:
    """Let every set cover what it should (see above). `entry` has just opened that many units for its set to cover."""
    held = rec.state.positions.get(symbol)
    left = held.qty if held is not None else ZERO
    own = position_set(symbol)
    begun: list[Order] = []
    grows = entry if entry is not None and opened and asks_any(entry.brackets) else None
    for oco_id in _newest_first(rec, symbol, grows):
        covered = left if oco_id == own and _fits(rec, oco_id, held) else min(left, _asked(rec, oco_id, held))
        if grows is not None and oco_id == grows.id and held is not None:
            covered = min(left, covered + opened)
            begun = _begin(rec, grows, held, covered)
        _resize(rec, oco_id, covered)
        left -= covered
    return begun


def drop_parked(rec: Recorder, entry: Order, text: str) -> None:
    """Cancel the brackets that still wait under an entry: it will not open a position any more."""
    waiting = [order for order in members(rec, entry.id) if order.status is OrderStatus.INACTIVE]
    cancel_all(rec, waiting, text)


def cancel_all(rec: Recorder, orders: list[Order], text: str) -> None:
    """Cancel them for the reason given."""
    for order in orders:
        rec.order(ended(order, OrderEventKind.CANCEL, text))


def _newest_first(rec: Recorder, symbol: str, entry: Order | None) -> list[str]:
    """The sets to serve: of entries, newest first, then the position's own."""
    sets = dict.fromkeys(rec.state.sets.protecting(symbol))
    own = sets.pop(position_set(symbol), ...) is None
    if entry is not None:
        sets[entry.id] = None
    ordered = sorted(sets, key=int, reverse=True)
    return [*ordered, position_set(symbol)] if own else ordered


def _fits(rec: Recorder, oco_id: str, held: Position | None) -> bool:
    """Whether the set protects the side that is held."""
    return held is not None and all(order.side is held.closing_side for order in members(rec, oco_id))


def _asked(rec: Recorder, oco_id: str, held: Position | None) -> Decimal:
    """What a set covers so far: the least that remains of its orders, so a part fill of one shrinks the other."""
    if not _fits(rec, oco_id, held):
        return ZERO
    working = (order.remaining for order in members(rec, oco_id) if order.status is OrderStatus.WORKING)
    return min(working, default=ZERO)


def _begin(rec: Recorder, entry: Order, held: Position, covered: Decimal) -> list[Order]:
    """Let the entry's brackets begin to work: those that wait, or new ones where none are there (any more)."""
    present = members(rec, entry.id)
    if not covered:
        return []
    if not present:
        made = [put_on_position(rec, role, entry.brackets, held, entry.id, covered) for role in ROLES]
        return [order for order in made if order is not None]
    waiting = [order for order in present if order.status is OrderStatus.INACTIVE]
    waiting.sort(key=lambda order: ROLES.index(order.role))
    return [_activate(rec, order, held, covered) for order in waiting]


def _activate(rec: Recorder, order: Order, held: Position, covered: Decimal) -> Order:
    position = ParentType.POSITION
    under = step(order, OrderEventKind.ACTIVATE, parent_id=held.id, parent_type=position, qty=covered)
    return rec.order(set_off(rec, under))


def _resize(rec: Recorder, oco_id: str, covered: Decimal) -> None:
    working = [order for order in members(rec, oco_id) if order.status is OrderStatus.WORKING]
    if not covered:
        cancel_all(rec, working, "There is no position left for it to protect.")
        return
    for order in working:
        if order.remaining != covered:
            rec.order(step(order, OrderEventKind.REPLACE, qty=order.filled_qty + covered))


def set_off(rec: Recorder, order: Order) -> Order:
    """One that begins to work, or has a new price, is about to meet the market (`arrive`): say whether there is a quote
    for that, and give a trailing stop its first price by it. Without one the next quote does both."""
    view = rec.view(order.symbol)
    quote = view.tradable if view is not None else None
    met = changed(order, arrived=quote is not None and quote.opposing(order.side) is not None)
    if order.trail_pips is None or view is None or quote is None:
        return met
    return follow(met, view.instrument, quote) or met


def _announce(rec: Recorder, order: Order, kind: OrderEventKind) -> Order:
    return rec.order(step(order, kind, id=rec.next_order_id(), created_ms=rec.now_ms))
