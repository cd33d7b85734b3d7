"""Margin (trading.md): notional / leverage + fees must fit equity less used less reserved; what only reduces is exempt.

Used: of every position its cost / leverage, so by its average price. Reserved: what open orders hold
(`reservations.py`). All in the account's currency.
"""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import EXACT, ZERO, exact, margin_of, money, money_free, money_needed
from trading_api.modules.broker.domain.commission import commission
from trading_api.modules.broker.domain.equity import Marks, Unvalued, equity_of, unrealized, unvalued
from trading_api.modules.broker.domain.netting import net, opening_qty
from trading_api.modules.broker.domain.order import Order


@dataclass(frozen=True, slots=True)
class Need:
    """What a trade of some quantity at some price takes."""

    opened: Decimal
    """The units that open or increase a position; 0 of what only reduces."""
    notional: Decimal
    fees: Decimal
    margin: Decimal
    """Of the units that are opened."""

    @property
    def reserve(self) -> Decimal:
        """What an order that waits for this trade holds: nothing when it only reduces."""
        return EXACT.add(self.margin, self.fees) if self.opened else ZERO


def need(state: AccountState, symbol: str, side: Side, qty: Decimal, price: Decimal, *, reduces: bool = False) -> Need:
    """What a trade now takes, against the position as it is. `reduces`: it is one that never opens anything."""
    opened = ZERO if reduces else opening_qty(state.positions.get(symbol), side, qty)
    return need_of(state, symbol, opened, qty, price)


def need_to_rest(state: AccountState, order: Order, price: Decimal) -> Need:
    """What an order that is about to wait takes: older orders come first when a position is shared."""
    opened = ZERO if order.is_close else state.reservations.opened_by(order.symbol, order.side, order.qty)
    return need_of(state, order.symbol, opened, order.qty, price)


def need_of(state: AccountState, symbol: str, opened: Decimal, qty: Decimal, price: Decimal) -> Need:
    """What a trade of `qty` takes that opens so many units."""
    margin = margin_of(EXACT.multiply(opened, price), state.leverage(symbol)) if opened else ZERO
    return Need(opened, EXACT.multiply(qty, price), commission(state.terms, qty, price), margin)


@exact
def used_margin(state: AccountState) -> Decimal:
    """What the open positions hold."""
    return sum((margin_of(held.cost, state.leverage(held.symbol)) for held in state.positions.values()), ZERO)


@exact
def free_margin(state: AccountState, marks: Marks) -> Decimal:
    """Equity less used less reserved. Below 0 when the market went against the account. Raises Unvalued."""
    equity = equity_of(state, marks).equity
    if equity is None:
        raise Unvalued(unvalued(state, marks))
    return equity - used_margin(state) - state.reserved


@exact
def margin_problem(state: AccountState, wanted: Need, available: Decimal) -> str | None:
    """Why the trade does not fit what is available, or None."""
    if wanted.reserve <= available or not wanted.opened:
        return None
    return not_enough(state, wanted.reserve, wanted.fees, available)


def not_enough(state: AccountState, needed: Decimal, fees: Decimal, available: Decimal) -> str:
    """The refusal for want of margin; what is needed is rounded up and what is free down, so that it shows.

    `needed` is all that is: margin and `fees`.
    """
    parts = f"{money_needed(EXACT.subtract(needed, fees))} margin and {money(fees)} fees"
    return (
        f"Not enough margin: {money_needed(needed)} {state.terms.currency} is needed ({parts}), "
        f"{money_free(available)} is free."
    )


@exact
def available_for_trade(
    state: AccountState, marks: Marks, symbol: str, side: Side, qty: Decimal, price: Decimal, rest: Order | None = None
) -> Decimal:
    """Free margin for a trade now: with what the position that it turns round gives back, and with what open orders
    hold once it is booked. `rest`: the order that trades, as it is after it, if it is one of those that wait."""
    held = state.positions.get(symbol)
    released = margin_of(held.cost, state.leverage(symbol)) if held is not None and held.side is not side else ZERO
    after = net(held, symbol, side, qty, price).position
    return free_margin(state, marks) + released + state.reserved - state.reservations.total_if(symbol, after, rest)


@exact
def free_after_trade(
    state: AccountState, marks: Marks, symbol: str, side: Side, qty: Decimal, price: Decimal
) -> Decimal:
    """Free margin once the trade is booked: with its fees, what it realises, and the spread that it pays."""
    held = state.positions.get(symbol)
    after = net(held, symbol, side, qty, price)
    leverage = state.leverage(symbol)
    gain = after.realized + unrealized(after.position, marks) - unrealized(held, marks)
    released = (margin_of(held.cost, leverage) if held else ZERO) - margin_of(after.position.cost, leverage)
    unheld = state.reserved - state.reservations.total_if(symbol, after.position)
    return free_margin(state, marks) + gain + released + unheld - commission(state.terms, qty, price)
