"""Placing an order (FIX NewOrderSingle; TradingView's placeOrder)."""

from trading_api.models.broker import OrderType
from trading_api.modules.broker.domain.assessment import Assessment, assess, draft
from trading_api.modules.broker.domain.brackets import park
from trading_api.modules.broker.domain.fills import arrive, end, execute
from trading_api.modules.broker.domain.order import Order, OrderRole
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import refused, step
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for
from trading_api.modules.broker.domain.problem import Problem, texts
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import PlaceOrder


def place(rec: Recorder, request: PlaceOrder) -> str | Refusal:
    """The id of the order, which has filled, rests, or (IOC, FOK) was canceled at once; or why it was refused.

    What is well formed but not allowed is stored as Rejected (trading.md, "A refusal is 400 with a reason, and a stored
    Rejected order carrying it"); what is not well formed is not stored.
    """
    view = rec.view(request.symbol)
    if view is None:
        return unknown_market(request.symbol)
    found = assess(rec.state, rec.marks, view, draft(request, view, rec.next_order_id(), rec.now_ms))
    if found.problems:
        return invalid_for(*found.against)
    if found.objections:
        return _reject(rec, found)
    return _admit(rec, found).id


def unknown_market(symbol: str) -> Refusal:
    """Nothing is known of the symbol, so nothing can be checked."""
    return invalid_for(Problem(None, f"The market of {symbol} is not known."))


def _reject(rec: Recorder, found: Assessment) -> Refusal:
    text = " ".join(texts(found.objections))
    stored = rec.order(refused(found.order, text))
    return invalid_for(*found.objections, order_id=stored.id)


def _admit(rec: Recorder, found: Assessment) -> Order:
    if found.fills_at is not None:
        return execute(rec, found.order, found.order.qty, found.fills_at)
    if found.order.duration.is_immediate:
        kind = found.order.duration.kind.value
        return end(rec, found.order, OrderEventKind.CANCEL, f"{kind}: nothing to trade with at once.")
    return _rest(rec, found.order)


def _rest(rec: Recorder, order: Order) -> Order:
    """Let it wait. A stop limit whose stop is hit already becomes a limit order that waits."""
    resting = rec.order(step(order, OrderEventKind.ACCEPT, arrived=rec.met(order)))
    for role in (OrderRole.TAKE_PROFIT, OrderRole.STOP_LOSS):
        park(rec, resting, role)
    return arrive(rec, resting) if order.type is OrderType.STOP_LIMIT else resting
