"""Margin (trading.md): notional / leverage + fees must fit equity less used less reserved; what only reduces is exempt.

Used: of every position its cost / leverage, so by its average price. Reserved: of every live order that may open or
increase a position the same by its own price, and its fees. All in the account's currency.
"""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import EXACT, ZERO, exact, margin_of, money
from trading_api.modules.broker.domain.commission import commission
from trading_api.modules.broker.domain.equity import Marks, equity_of, unrealized
from trading_api.modules.broker.domain.netting import net, opening_qty
from trading_api.modules.broker.domain.position import Position


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
    """What the trade takes, against the position as it is now. `reduces`: it is one that never opens anything."""
    return need_against(state, state.positions.get(symbol), symbol, side, qty, price, reduces=reduces)


def need_against(
    state: AccountState,
    held: Position | None,
    symbol: str,
    side: Side,
    qty: Decimal,
    price: Decimal,
    *,
    reduces: bool = False,
) -> Need:
    """The same against a position that may be another than the present one."""
    opened = ZERO if reduces else opening_qty(held, side, qty)
    margin = margin_of(EXACT.multiply(opened, price), state.leverage(symbol)) if opened else ZERO
    return Need(opened, EXACT.multiply(qty, price), commission(state.terms, qty, price), margin)


@exact
def used_margin(state: AccountState) -> Decimal:
    """What the open positions hold."""
    return sum((margin_of(held.cost, state.leverage(held.symbol)) for held in state.positions.values()), ZERO)


@exact
def free_margin(state: AccountState, marks: Marks) -> Decimal:
    """Equity less used less reserved. Below 0 when the market went against the account."""
    return equity_of(state, marks).equity - used_margin(state) - state.reserved


@exact
def margin_problem(state: AccountState, wanted: Need, available: Decimal) -> str | None:
    """Why the trade does not fit what is available, or None."""
    if wanted.reserve <= available or not wanted.opened:
        return None
    return (
        f"Not enough margin: {money(wanted.reserve)} {state.terms.currency} is needed ({money(wanted.margin)} margin "
        f"and {money(wanted.fees)} fees), {money(available)} is free."
    )


@exact
def available_for_trade(state: AccountState, marks: Marks, symbol: str, side: Side, own: Decimal = ZERO) -> Decimal:
    """Free margin for a trade now: with what the order itself reserved (`own`), and what the position that the trade
    turns round gives back."""
    held = state.positions.get(symbol)
    released = margin_of(held.cost, state.leverage(symbol)) if held is not None and held.side is not side else ZERO
    return free_margin(state, marks) + own + released


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
    return free_margin(state, marks) + gain + released - commission(state.terms, qty, price)
