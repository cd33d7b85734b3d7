"""The leverage of a symbol (trading.md: raise freely; lower only if free margin covers it; 1 to 100, step 1)."""

from dataclasses import replace
from decimal import Decimal

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import (
    EXACT,
    ZERO,
    exact,
    margin_of,
    money_free,
    money_needed,
    text,
)
from trading_api.modules.broker.domain.equity import Marks
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.margin import free_margin
from trading_api.modules.broker.domain.number_checks import shown
from trading_api.modules.broker.domain.outcome import LeveragePreview, Refusal, invalid_for
from trading_api.modules.broker.domain.placing import unknown_market
from trading_api.modules.broker.domain.problem import Problem, texts
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import PreviewLeverage, SetLeverage


def set_leverage(rec: Recorder, request: SetLeverage) -> Decimal | Refusal:
    """Put the leverage in force for the symbol; its open orders from then on hold what it asks for."""
    view = rec.view(request.symbol)
    if view is None:
        return unknown_market(request.symbol)
    symbol = view.instrument.symbol
    found, problems = _look(rec.state, rec.marks, symbol, request.leverage)
    if problems:
        return invalid_for(*problems)
    if request.leverage != found.current:
        rec.leverage(symbol, request.leverage)
    return request.leverage


def preview_leverage(rec: Recorder, request: PreviewLeverage) -> LeveragePreview | Refusal:
    """What it would mean: the same check, nothing done."""
    view = rec.view(request.symbol)
    if view is None:
        return unknown_market(request.symbol)
    found, problems = _look(rec.state, rec.marks, view.instrument.symbol, request.leverage)
    return replace(found, errors=texts(problems))


@exact
def _look(
    state: AccountState, marks: Marks, symbol: str, leverage: Decimal
) -> tuple[LeveragePreview, tuple[Problem, ...]]:
    """What it would mean, still without `errors`, and what stands against it."""
    current, free = state.leverage(symbol), free_margin(state, marks)
    before = _held(state, symbol, current)
    out_of_range = _range_problems(state, leverage)
    after = before if out_of_range else _held(state, symbol, leverage)
    found = LeveragePreview(
        symbol, leverage, current, state.terms.currency, before, after, free, free - (after - before)
    )
    return (found, out_of_range) if out_of_range else (replace(found, infos=_infos(found)), _margin_problems(found))


def _range_problems(state: AccountState, leverage: Decimal) -> tuple[Problem, ...]:
    wrong = _range_error(state, leverage)
    return (Problem(Field.LEVERAGE, wrong),) if wrong else ()


def _range_error(state: AccountState, leverage: Decimal) -> str | None:
    least, most, by = state.terms.min_leverage, state.terms.max_leverage, state.terms.leverage_step
    allowed = f"use {text(least)} to {text(most)} in steps of {text(by)}."
    if not leverage.is_finite():
        return f"leverage {leverage} is not a number; {allowed}"
    if not least <= leverage <= most:
        return f"leverage {shown(leverage)} is out of range; {allowed}"
    return f"leverage {shown(leverage)} is not on the step; {allowed}" if leverage % by else None


def _held(state: AccountState, symbol: str, leverage: Decimal) -> Decimal:
    """The margin of the symbol's position and of its open orders under a leverage."""
    position = state.positions.get(symbol)
    total = margin_of(position.cost, leverage) if position else ZERO
    return EXACT.add(total, state.reservations.under(symbol, leverage))


def _infos(found: LeveragePreview) -> tuple[str, ...]:
    was, now = money_needed(found.margin), money_needed(found.margin_after)
    return (
        f"Leverage of {found.symbol}: {text(found.current)} now, {text(found.leverage)} then.",
        f"Margin of its position and open orders: {was} {found.currency} now, {now} {found.currency} then.",
    )


def _margin_problems(found: LeveragePreview) -> tuple[Problem, ...]:
    """Raising takes nothing, so it is always allowed, below 0 too."""
    more = found.margin_after - found.margin
    if more <= 0 or found.free_margin_after >= 0:
        return ()
    short = (
        f"Not enough margin to lower the leverage to {text(found.leverage)}: {money_needed(more)} {found.currency} "
        f"more is needed, {money_free(found.free_margin)} is free."
    )
    return (Problem(None, short),)
