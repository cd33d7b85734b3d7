"""What the broker asks of a market, whoever tells it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.quote import Quote

Listener = Callable[[MarketView], None]
PriceListener = Callable[[str, Quote | None], None]
_AGAIN = "try again"


class UnknownSymbol(LookupError):
    """Nobody trades such a symbol."""

    def __init__(self) -> None:
        super().__init__("Symbol not found")


def not_found_text(symbol: str) -> str:
    """What clients are told of a symbol that nobody trades, whatever they wanted with it."""
    return f"Symbol not found: {symbol[:80]!r}; GET /datafeed/search lists those that there are."


class MarketUnavailable(Exception):
    """What must be known of a symbol cannot be had at the moment; `reason` is for people and names no address.

    `answered`: the datafeed is there, but there is something wrong with this symbol, maybe for ever. `lasting`: to ask
    again does not help.
    """

    def __init__(self, reason: str, *, answered: bool = False, lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answered = answered
        self.lasting = lasting

    @property
    def advice(self) -> str:
        """The reason, and that the same may go well later, where it may: for those who wanted something."""
        if self.lasting or _AGAIN in self.reason:
            return self.reason
        return f"{self.reason.removesuffix('.')}; {_AGAIN}."


class Market(Protocol):
    """Symbols and what they trade at. All calls come from the event loop's thread.

    A symbol is NAME or EXCHANGE:NAME in any case, where nothing else is said; a view bears its canonical name.
    """

    async def price(self, symbols: Collection[str]) -> None:
        """Have the quotes of watched symbols told, many with one question, whatever else is known of them.

        Raises MarketUnavailable when the datafeed does not tell some; the others are told all the same.
        """
        ...

    async def look(self, symbol: str) -> MarketView:
        """What the market of a symbol is like now, in about a second at most.

        Raises UnknownSymbol, and MarketUnavailable when nothing is known of it and the datafeed does not tell. When the
        datafeed is away, a symbol that is known already is still told of, with a quote that is `stale` after a while.
        """
        ...

    def view(self, symbol: str) -> MarketView | None:
        """The same from memory, at once; None: not known, or not any more."""
        ...

    def now_ms(self) -> int | None:
        """The feed's clock, ms UTC; None until it was heard once. It runs on while the datafeed is away."""
        ...

    def watch(self, symbols: frozenset[str]) -> None:
        """Keep quotes of these coming, by their canonical names; of others no longer."""
        ...

    def hurry(self, symbol: str) -> None:
        """Have a view of a watched symbol soon: before those of others of which as little is known."""
        ...

    def on_price(self, callback: PriceListener) -> None:
        """Call it in the event loop with every quote of a symbol of which there is no view yet, by its name.

        None: the datafeed says that there is none.
        """
        ...

    def on_market(self, callback: Listener) -> None:
        """Call it in the event loop with every quote of a symbol, and at least every 5 s for each that is watched."""
        ...

    def start(self) -> None:
        """Begin to connect; nobody waits for it. Needs a running event loop."""
        ...

    async def stop(self) -> None:
        """End. Those who look are told that the market is unavailable."""
        ...
