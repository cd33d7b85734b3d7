"""The quotes that come over the link."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from trading_api.modules.broker.link.connection import UNREADABLE, LinkEndedError, Send
from trading_api.modules.broker.market.reading import QuoteReading, ReadingError, members, parse, read_quote
from trading_api.modules.broker.market.subscriptions import Subscriptions


class QuoteStream:
    """The traffic of the link: subscribes for what is wanted, over each new connection again, and hands quotes on."""

    def __init__(
        self,
        on_open: Callable[[str], None],
        on_quote: Callable[[QuoteReading], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_open` is told the URL of each new connection; `clock` tells monotonic seconds."""
        self._on_open = on_open
        self._on_quote = on_quote
        self._clock = clock
        self._subscriptions = Subscriptions(clock)
        self._changed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._lost_at = clock()

    def want(self, symbols: frozenset[str]) -> None:
        """Have the quotes of these come, and no others."""
        self._subscriptions.want(symbols)
        self._changed.set()

    def lost_at(self, symbol: str) -> float | None:
        """None while the quotes of a symbol come; else when the link was lost, or began: monotonic seconds."""
        return None if self._subscriptions.holds(symbol) else self._lost_at

    def opened(self, url: str, send: Send) -> None:
        """Subscribe for all over a new connection."""
        self._on_open(url)
        # An event belongs to the event loop that waited for it.
        self._changed = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep(send), name="quotes subscriptions")

    def closed(self) -> None:
        """Nothing comes any more."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            self._lost_at = self._clock()
        self._subscriptions.reset()

    def received(self, text: str) -> None:
        """A frame of the datafeed. Frames of types that nobody knows yet are passed over."""
        try:
            frame = members(parse(text))
            kind, payload = frame.get("type"), members(frame.get("payload", {}))
            if kind == "quotes.update":
                self._on_quote(read_quote(payload.get("payload")))
            elif "id" in frame:
                # What is not subscribed any more needs no end.
                ok = kind != "error" or payload.get("code") == "not_subscribed"
                self._subscriptions.answered(frame["id"], ok=ok)
                self._changed.set()
        except ReadingError as error:
            raise LinkEndedError(UNREADABLE) from error

    async def _keep(self, send: Send) -> None:
        """Send what is to be sent, for as long as the connection lasts."""
        while True:
            self._changed.clear()
            for frame in self._subscriptions.next_frames():
                await send(frame)
            await self._wait(self._subscriptions.wait_s())

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
