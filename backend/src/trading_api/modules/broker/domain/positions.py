"""Requests about an open position: closing it, and its brackets."""

from decimal import Decimal

from trading_api.models.broker import OrderType
from trading_api.modules.broker.domain.amounts import text
from trading_api.modules.broker.domain.assessment import comparable
from trading_api.modules.broker.domain.bracket_changes import edit_position
from trading_api.modules.broker.domain.bracket_checks import bracket_problems, position_reference
from trading_api.modules.broker.domain.checks import quantity_problems
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.fills import arrive
from trading_api.modules.broker.domain.finding import open_position
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for
from trading_api.modules.broker.domain.placing import place, unknown_market
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import ClosePosition, EditBrackets, PlaceOrder


def close_position(rec: Recorder, request: ClosePosition) -> str | Refusal:
    """Close all of a position or a part of it by a market order (TradingView's closePosition)."""
    held = open_position(rec, request.position_id)
    if isinstance(held, Refusal):
        return held
    view = rec.view(held.symbol)
    if view is None:
        return unknown_market(held.symbol)
    amount = held.qty if request.amount is None else request.amount
    if wrong := _amount_problems(held, amount, view):
        return invalid_for(*wrong)
    placed = place(rec, PlaceOrder(held.symbol, OrderType.MARKET, held.closing_side, amount, is_close=True))
    return placed if isinstance(placed, Refusal) else _closed(held, amount)


def edit_brackets(rec: Recorder, request: EditBrackets) -> str | Refusal:
    """Protect the position by these brackets instead of any that it has (TradingView's editPositionBrackets)."""
    held = open_position(rec, request.position_id)
    if isinstance(held, Refusal):
        return held
    view = rec.view(held.symbol)
    if view is None:
        return unknown_market(held.symbol)
    quote = comparable(view)
    reference = position_reference(held.side, quote) if quote is not None else None
    problems = bracket_problems(view.instrument, held.side, request.brackets, reference)
    if problems:
        return invalid_for(*problems)
    for bracket in edit_position(rec, held, request.brackets, request.custom_fields):
        if bracket.id in rec.state.orders:
            arrive(rec, rec.state.orders[bracket.id])
    return f"The brackets of {held.symbol} were changed."


def _amount_problems(held: Position, amount: Decimal, view: MarketView) -> tuple[Problem, ...]:
    problems = () if amount == held.qty else quantity_problems(Field.AMOUNT, amount, view.instrument)
    if problems or amount <= held.qty:
        return problems
    above = f"amount {text(amount)} is above what is held of {held.symbol}, {text(held.qty)}"
    return (Problem(Field.AMOUNT, above),)


def _closed(held: Position, amount: Decimal) -> str:
    if amount == held.qty:
        return f"Position {held.symbol} was closed."
    return f"Position {held.symbol} was reduced by {text(amount)}."
