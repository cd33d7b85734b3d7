"""The first seconds of a reign: until the market of everything that is held is known, nobody knows what accounts are

worth, and what depends on that waits (`domain/equity.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence

from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.market.port import Market, MarketUnavailable, UnknownSymbol
from trading_api.modules.broker.writer.ports import DeskPort

logger = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""So long after the reign began commands wait for the market; a thousand symbols usually take some tenths of it."""
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0
# Looks at once: those of commands must not wait for hundreds of others.
_AT_ONCE = 8


class Valuing:
    """Asks the market about what is held until it has said something of each symbol. Belongs to one event loop.

    It asks for the quotes of all at once; whoever listens to the market is told. Only where the datafeed, which is
    there, does not tell them so, it looks at each: then `heed` takes what it says, and `no_price` is told of a symbol
    that nobody trades, or of which the datafeed cannot say anything.
    """

    def __init__(
        self,
        desk: DeskPort,
        market: Market,
        *,
        heed: Callable[[MarketView], None],
        no_price: Callable[[str], None],
    ) -> None:
        self._desk = desk
        self._market = market
        self._heed = heed
        self._no_price = no_price
        self._missing = set(desk.unvalued())
        # Health asks for it, maybe in another thread.
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + PATIENCE_S
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._news = asyncio.Event()

    @property
    def is_done(self) -> bool:
        """Whether everything that is held is valued."""
        return not self._missing

    @property
    def overdue(self) -> int:
        """Of how many symbols nothing is known yet, now that nobody waits for it any more."""
        return 0 if self._is_patient else len(self._missing)

    def is_worth_waiting(self, symbols: Collection[str]) -> bool:
        """Whether those who need the values of these may wait for them."""
        return self._is_patient and not self._missing.isdisjoint(symbols)

    def heard(self, symbol: str) -> bool:
        """The market said something of a symbol. Whether more is valued by now than before."""
        if symbol not in self._missing or not self._desk.is_valued(symbol):
            return False
        self._missing.discard(symbol)
        self._tell_waiting()
        return True

    async def wait(self, symbols: Collection[str]) -> None:
        """Until these are valued, or patience is over."""
        left = self._until - self._clock()
        try:
            async with asyncio.timeout(left):
                while not self._missing.isdisjoint(symbols):
                    await self._news.wait()
        except TimeoutError:
            pass

    async def run(self) -> None:
        """Until all is valued: again and again, for the datafeed may be away."""
        # Orders rest on some that nobody holds: what they wait for is to be noticed as soon.
        pause, others = _FIRST_PAUSE_S, sorted(self._desk.symbols() - self._missing)
        while self._missing or others:
            others = [] if await self._ask([*sorted(self._missing), *others]) else others
            if self._missing or others:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE_S)
                # What was closed meanwhile needs no value.
                self._missing &= self._desk.unvalued()
                self._tell_waiting()

    @property
    def _is_patient(self) -> bool:
        return self._clock() < self._until

    def _tell_waiting(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _ask(self, symbols: Sequence[str]) -> bool:
        """Whether the datafeed is there."""
        try:
            await self._market.price(symbols)
        except MarketUnavailable as unavailable:
            if not unavailable.answered:
                return False
        except Exception:  # A boundary: it is tried again, one by one.
            logger.exception("the quotes of what is held cannot be asked for")
        await asyncio.gather(*map(self._look, sorted(self._missing)))
        return True

    async def _look(self, symbol: str) -> None:
        try:
            async with self._room:
                view = await self._market.look(symbol)
        except UnknownSymbol:
            self._no_price(symbol)
        except MarketUnavailable as unavailable:
            if unavailable.answered and not self._is_patient:
                self._no_price(symbol)
        except Exception:  # A boundary: it is tried again, and the others go on.
            logger.exception("the market of %s cannot be looked at", symbol)
        else:
            self._heed(view)
            if view.instrument.symbol != symbol:
                # Nobody trades under that name any more.
                self._no_price(symbol)
