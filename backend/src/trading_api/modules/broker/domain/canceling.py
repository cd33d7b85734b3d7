"""Canceling an order (FIX OrderCancelRequest; TradingView's cancelOrder)."""

from dataclasses import replace
from decimal import Decimal

from trading_api.modules.broker.domain.fills import end
from trading_api.modules.broker.domain.finding import live_order
from trading_api.modules.broker.domain.order import Brackets, Order, OrderRole
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import step
from trading_api.modules.broker.domain.outcome import Refusal
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import CancelOrder


def cancel(rec: Recorder, request: CancelOrder) -> str | Refusal:
    """Cancel a live order. What it filled stays filled; the brackets that wait under it go with it.

    A bracket may be canceled by itself; the other of its set stays.
    """
    found = live_order(rec.state, request.order_id)
    if isinstance(found, Refusal):
        return found
    end(rec, found, OrderEventKind.CANCEL, "Canceled on request.")
    if found.is_bracket:
        tell_entry(rec, found, None)
    return f"Order {found.id} was canceled."


def tell_entry(rec: Recorder, bracket: Order, price: Decimal | None) -> None:
    """Let the entry that a bracket belongs to, if it is live, ask for the new price (pips of a trailing stop) too.

    None: it asks for that bracket no longer, so its next part fill does not make it anew.
    """
    entry = rec.state.orders.get(bracket.oco_id) if bracket.oco_id is not None else None
    if entry is not None:
        asked = with_bracket(entry.brackets, bracket, price)
        rec.order(step(entry, OrderEventKind.REPLACE, brackets=asked))


def with_bracket(asked: Brackets, bracket: Order, price: Decimal | None) -> Brackets:
    """What is asked for, with another price for that bracket's kind."""
    if bracket.role is OrderRole.TAKE_PROFIT:
        return replace(asked, take_profit=price)
    if price is None:
        return Brackets(take_profit=asked.take_profit)
    if bracket.trail_pips is not None:
        return replace(asked, trailing_stop_pips=price)
    if asked.guaranteed_stop is not None:
        return replace(asked, guaranteed_stop=price)
    return replace(asked, stop_loss=price)
