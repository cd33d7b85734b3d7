"""What an account is worth."""

from collections.abc import Iterable
from decimal import Decimal

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import ZERO, exact
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.worth import Equity

_NAMED = 5


class Unvalued(Exception):
    """What was asked for depends on what these held symbols are worth, and that is not known yet. Nothing was done."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(sorted(symbols))
        others = len(self.symbols) - _NAMED
        names = ", ".join(self.symbols[:_NAMED]) + (f" and {others} others" if others > 0 else "")
        super().__init__(f"The market of {names} is not known yet; try again.")


class Marks:
    """The last prices of each symbol, be they stale: the best there is to value by.

    Nothing is known of a symbol until the market has said something, which after a start it has not; then whatever
    depends on it waits. Of one that has said that there is no price (or that nobody trades it) there is no mark either,
    and there may never be one: it counts at its average price, so that it does not lock the account.
    """

    def __init__(self) -> None:
        self._quotes: dict[str, Quote | None] = {}

    def heed(self, view: MarketView) -> None:
        """The market is now like this. Where it has no bid or no ask, the last one that there was stands."""
        symbol, quote = view.instrument.symbol, view.quote
        if quote is not None:
            self.heed_quote(quote)
        elif view.is_heard:
            self.heed_none(symbol)

    def heed_quote(self, quote: Quote) -> None:
        """The same of a symbol of which no more is known than its quote."""
        self._quotes[quote.symbol] = quote.mark(self._quotes.get(quote.symbol))

    def heed_none(self, symbol: str) -> None:
        """There is no price, as the market says. If there was one, it stands."""
        self._quotes.setdefault(symbol, None)

    def knows(self, symbol: str) -> bool:
        """Whether the market has said something."""
        return symbol in self._quotes

    def get(self, symbol: str) -> Quote | None:
        """The last prices, if there were any."""
        return self._quotes.get(symbol)


def unrealized(position: Position | None, marks: Marks) -> Decimal:
    """Profit and loss of an open position: longs at the bid, shorts at the ask (trading.md). 0 if there is none."""
    quote = marks.get(position.symbol) if position else None
    price = quote.closing(position.side) if position and quote else None
    return position.profit_at(price) if position and price is not None else ZERO


def unvalued(state: AccountState, marks: Marks) -> tuple[str, ...]:
    """The symbols that the account holds and of which nothing is known."""
    return tuple(symbol for symbol in state.positions if not marks.knows(symbol))


@exact
def equity_of(state: AccountState, marks: Marks) -> Equity:
    """The account valued at the last quotes (see `Marks`). Not known while a symbol is held of which nothing is."""
    if unvalued(state, marks):
        return Equity(state.balance, state.realized, state.fees, None, None)
    open_profit = sum((unrealized(position, marks) for position in state.positions.values()), ZERO)
    return Equity(state.balance, state.realized, state.fees, open_profit, state.balance + open_profit)


def require_valued(state: AccountState, marks: Marks) -> None:
    """To be called before something is done that may need the equity on its way. Raises Unvalued."""
    if missing := unvalued(state, marks):
        raise Unvalued(missing)
