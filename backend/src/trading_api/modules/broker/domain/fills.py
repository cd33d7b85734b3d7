"""Fills: an order meets a quote, is checked once more, and is booked with all its consequences.

The events of one fill come in the order execution, order, position, equity (trading.md); then its consequences:
brackets canceled, shrunk, begun. Brackets that begin to work meet the same quote at once, the stop first: what filled
the entry is still the market. So a stop that it is already through fills at it, and a take profit that is marketable
fills at the opposing quote, as any order does on arrival.
"""

from decimal import Decimal

from trading_api.models.broker import OrderStatus, OrderType
from trading_api.modules.broker.domain.amounts import EXACT, ZERO
from trading_api.modules.broker.domain.brackets import cancel_all, drop_parked, settle
from trading_api.modules.broker.domain.commission import commission
from trading_api.modules.broker.domain.equity import unvalued
from trading_api.modules.broker.domain.margin import available_for_trade, margin_problem, need
from trading_api.modules.broker.domain.matching import fill_price, stop_hit
from trading_api.modules.broker.domain.netting import Netted, net, opening_qty
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.order_changes import changed
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import ended, filled, refused, triggered
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.recorder import Recorder

_NOTHING_LEFT = "Its position is closed; there is nothing left for it to reduce."


def meet(rec: Recorder, order: Order, quote: Quote, *, arriving: bool = False) -> Order:
    """Let a quote reach the order: it fills, a stop limit is triggered, or nothing happens. Returns the new value."""
    price = fill_price(order, quote, arriving=arriving)
    if price is not None:
        return wait(rec, order) if must_wait(rec, order) else execute(rec, order, order.remaining, price)
    if order.type is OrderType.STOP_LIMIT and order.status is OrderStatus.WORKING and stop_hit(order, quote):
        return rec.order(triggered(order))
    return order


def must_wait(rec: Recorder, order: Order) -> bool:
    """Whether it cannot be said now if the account can pay for it: what the account is worth is not known yet."""
    if order.is_bracket or order.is_close or not unvalued(rec.state, rec.marks):
        return False
    return bool(opening_qty(rec.state.positions.get(order.symbol), order.side, order.remaining))


def wait(rec: Recorder, order: Order) -> Order:
    """Leave it as it is, for a later quote to meet: neither filled nor refused. But a stop that is hit stays hit: from
    then on the stop limit is a limit order, which is still to arrive."""
    hit = order.type is OrderType.STOP_LIMIT and order.awaits_trigger and order.status is OrderStatus.WORKING
    return rec.order(changed(triggered(order), arrived=False)) if hit else order


def arrive(rec: Recorder, order: Order) -> Order:
    """Let an order that is new, or has a new price, meet the market, if there is a quote to trade at."""
    quote = rec.tradable(order.symbol)
    return meet(rec, order, quote, arriving=True) if quote is not None else order


def execute(rec: Recorder, order: Order, qty: Decimal, price: Decimal) -> Order:
    """Trade `qty` of the order at `price`, unless it does not fit any more. Returns the order as it then is."""
    if order.is_bracket or order.is_close:
        qty = min(qty, reducible(rec, order))
        if not qty:
            return end(rec, order, OrderEventKind.CANCEL, "There is no position left for it to reduce.")
    elif problem := _unaffordable(rec, order, qty, price):
        return refuse(rec, order, problem)
    done, netted = _book(rec, order, qty, price)
    _drop_closing(rec, done)
    for begun in settle(rec, done, netted.opened):
        # The one before it may have closed the position, and so have canceled this one.
        if begun.id in rec.state.orders:
            arrive(rec, rec.state.orders[begun.id])
    if done.is_close and done.is_live and not reducible(rec, done):
        return end(rec, done, OrderEventKind.CANCEL, _NOTHING_LEFT)
    return rec.state.orders.get(done.id, done)


def reducible(rec: Recorder, order: Order) -> Decimal:
    """How many units the order could reduce: the position's quantity if that is on the other side, else 0."""
    held = rec.state.positions.get(order.symbol)
    return held.qty if held is not None and held.side is not order.side else ZERO


def end(rec: Recorder, order: Order, kind: OrderEventKind, text: str) -> Order:
    """Cancel or expire the order, and cancel the brackets that wait under it. What they cover already stays covered."""
    done = rec.order(ended(order, kind, text))
    drop_parked(rec, done, f"Its order {order.id} ended without opening a position.")
    return done


def refuse(rec: Recorder, order: Order, text: str) -> Order:
    """Reject the order (cancel what is partly filled), and cancel the brackets that wait under it."""
    done = rec.order(refused(order, text))
    drop_parked(rec, done, f"Its order {order.id} was refused.")
    return done


def _drop_closing(rec: Recorder, done: Order) -> None:
    """Cancel the orders that may only close (`is_close`) when a trade has closed or turned their position: they go with
    it, as brackets do. A smaller one they close as far as it goes. The order that traded looks to itself."""
    waiting = [rec.state.orders[order_id] for order_id in rec.state.sets.closing(done.symbol) if order_id != done.id]
    over = [order for order in waiting if not reducible(rec, order)]
    cancel_all(rec, over, _NOTHING_LEFT)


def _unaffordable(rec: Recorder, order: Order, qty: Decimal, price: Decimal) -> str | None:
    """Margin is checked again at the fill (trading.md): equity and positions may have changed since it was placed.

    One that fills on arrival has just been checked (`assess`).
    """
    if order.status is OrderStatus.PLACING:
        return None
    state = rec.state
    wanted = need(state, order.symbol, order.side, qty, price)
    if not wanted.opened:
        return None
    rest = changed(order, filled_qty=EXACT.add(order.filled_qty, qty))
    available = available_for_trade(state, rec.marks, order.symbol, order.side, qty, price, rest)
    return margin_problem(state, wanted, available)


def _book(rec: Recorder, order: Order, qty: Decimal, price: Decimal) -> tuple[Order, Netted]:
    state = rec.state
    netted = net(state.positions.get(order.symbol), order.symbol, order.side, qty, price)
    fee = commission(state.terms, qty, price)
    rec.execution(order, qty, price, fee, netted.realized)
    done = rec.order(filled(order, qty, price))
    rec.position(netted.position)
    rec.cash(netted.realized, fee)
    return done, netted
