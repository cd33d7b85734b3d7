"""The first seconds of a reign: until the market of everything that is held is known, nobody knows what accounts are

worth, and what depends on that waits (`domain/equity.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.market.port import Market, MarketUnavailable, UnknownSymbol
from trading_api.modules.broker.writer.ports import DeskPort

logger = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""So long after the reign began commands wait for the market; it usually takes some milliseconds."""
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0
# Looks at once: those of commands must not wait for hundreds of others.
_AT_ONCE = 8


class Valuing:
    """Asks the market about what is held until it has said something of each symbol. Belongs to one event loop.

    `heed` takes what it says; `no_price` is told of a symbol that nobody trades, or of which the datafeed, which is
    there, cannot say anything.
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
        self._missing = desk.unvalued()
        self._until = asyncio.get_running_loop().time() + PATIENCE_S
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._news = asyncio.Event()

    @property
    def is_done(self) -> bool:
        """Whether everything that is held is valued."""
        return not self._missing

    def is_worth_waiting(self, symbols: Collection[str]) -> bool:
        """Whether those who need the values of these may wait for them."""
        return self._is_patient and not self._missing.isdisjoint(symbols)

    def heard(self, symbol: str) -> bool:
        """The market said something of a symbol. Whether more is valued by now than before."""
        if symbol not in self._missing:
            return False
        before, self._missing = self._missing, self._desk.unvalued()
        self._news.set()
        self._news = asyncio.Event()
        return self._missing != before

    async def wait(self, symbols: Collection[str]) -> None:
        """Until these are valued, or patience is over."""
        left = self._until - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(left):
                while not self._missing.isdisjoint(symbols):
                    await self._news.wait()
        except TimeoutError:
            pass

    async def run(self) -> None:
        """Until all is valued: again and again, for the datafeed may be away."""
        pause = _FIRST_PAUSE_S
        while missing := self._missing:
            await asyncio.gather(*map(self._look, sorted(missing)))
            if self._missing:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE_S)

    @property
    def _is_patient(self) -> bool:
        return asyncio.get_running_loop().time() < self._until

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
