"""What an account is worth."""

from collections.abc import Mapping
from decimal import Decimal

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import ZERO, exact
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.worth import Equity

Marks = Mapping[str, Quote]
"""Symbol → its last quote, be it stale: the best there is to value by."""


def unrealized(position: Position | None, marks: Marks) -> Decimal:
    """Profit and loss of an open position: longs at the bid, shorts at the ask (trading.md). Without a quote, 0."""
    quote = marks.get(position.symbol) if position else None
    return position.profit_at(quote.closing(position.side)) if position and quote else ZERO


@exact
def equity_of(state: AccountState, marks: Marks) -> Equity:
    """The account valued at the last quotes. A symbol without one (after a restart) counts at its average price."""
    open_profit = sum((unrealized(position, marks) for position in state.positions.values()), ZERO)
    return Equity(state.balance, state.realized, state.fees, open_profit, state.balance + open_profit)
