"""What a trade does to a position (trading.md, "Net per account and symbol").

Same side: quantity and cost add up, so the average is weighted. Other side: it first reduces, which realises profit and
loss and keeps the average price; what is left over opens a position the other way, at the price of the trade.

Money is conserved exactly: the cost that leaves a position is rounded once (`amounts.share`), the cost that stays is
the rest, so realised profit and loss plus what is open always equal the cash that changed hands.
"""

from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.amounts import ZERO, exact, share
from trading_api.modules.broker.domain.position import Position


@dataclass(frozen=True, slots=True)
class Netted:
    """The position after a trade, how the trade's quantity was split, and what was realised, quote currency."""

    position: Position
    closed: Decimal
    opened: Decimal
    realized: Decimal


def opening_qty(held: Position | None, side: Side, qty: Decimal) -> Decimal:
    """How much of a trade opens or increases; 0 when it only reduces."""
    if held is None or not held.is_open or held.side is side:
        return qty
    return max(qty - held.qty, ZERO)


@exact
def net(held: Position | None, symbol: str, side: Side, qty: Decimal, price: Decimal) -> Netted:
    """The trade of `qty` > 0 units at `price` booked onto what is held (None: nothing)."""
    opened = opening_qty(held, side, qty)
    closed = qty - opened
    if held is None or not closed:
        return Netted(_increased(held, symbol, side, qty, price), ZERO, qty, ZERO)
    removed = share(held.cost, closed, held.qty)
    realized = held.side * (closed * price - removed)
    if opened:
        return Netted(Position(symbol, side, opened, opened * price), closed, opened, realized)
    left = Position(symbol, held.side, held.qty - closed, held.cost - removed)
    return Netted(left, closed, opened, realized)


def _increased(held: Position | None, symbol: str, side: Side, qty: Decimal, price: Decimal) -> Position:
    before = held if held is not None and held.is_open else Position(symbol, side, ZERO, ZERO)
    return Position(symbol, side, before.qty + qty, before.cost + qty * price)
