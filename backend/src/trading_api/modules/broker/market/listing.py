"""All that is known of one symbol's market."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.market.hours import TradingHours
from trading_api.modules.broker.market.reading import QuoteReading


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a quote may be to be traded at, seconds: while the datafeed streams it, and since it last could."""

    streamed_s: float
    unlinked_s: float


@dataclass(slots=True)
class Listing:
    """One symbol. Times that end in `_at` are monotonic seconds; -inf is never."""

    symbol: str
    instrument: TradedInstrument | None = None
    hours: TradingHours | None = None
    quote: Quote | None = None
    """The newest; None: the datafeed has not said a price, or said that there is none."""
    dated: bool = False
    """The quote came with its own time, so its age is known, whenever it was heard."""
    instrument_at: float = -inf
    hours_at: float = -inf
    heard_at: float = field(default=-inf)
    """When the datafeed last told or confirmed what `quote` is."""
    told_at: float = -inf
    """When the listeners were last told, and whether the market was open then."""
    told_open: bool = False
    gone: bool = False
    """The datafeed knows no such symbol any more: it keeps its grids and hours, but has no price."""
    wanted_until: float = -inf
    """Somebody looked at it, so it is kept up to date until then, watched or not."""

    @property
    def is_known(self) -> bool:
        """Whether there is enough to make a view of."""
        return self.instrument is not None and self.hours is not None

    @property
    def is_heard(self) -> bool:
        """Whether the datafeed has said what the quote is, be it that there is none."""
        return self.heard_at > -inf

    def forget_quote(self, at: float) -> None:
        """There is no price, as was said at `at`."""
        self.quote, self.dated, self.heard_at = None, False, at

    def take(self, reading: QuoteReading, now_ms: int, at: float) -> bool:
        """A quote as the datafeed tells it at `at`, when its clock was `now_ms`; False: it is older than what is known.

        Instances of a datafeed that are pushed read their quotes one after the other, so one may lag behind another.
        """
        if reading.prices is None:
            self.forget_quote(at)
            return True
        if self._is_older(reading):
            return False
        bid, ask = reading.prices
        time = now_ms if reading.time_ms is None else reading.time_ms
        self.quote, self.dated, self.heard_at = Quote(self.symbol, bid, ask, time), reading.time_ms is not None, at
        return True

    def view(self, now_ms: int, at: float, lost_at: float | None, freshness: Freshness) -> MarketView | None:
        """How things stand at `at`; `lost_at` is since when the datafeed does not stream the symbol, None: it does."""
        if self.instrument is None or self.hours is None:
            return None
        return MarketView(
            instrument=self.instrument,
            quote=self.quote,
            stale=self.is_stale(now_ms, at, lost_at, freshness),
            is_open=self.hours.is_open(now_ms),
            session_end_ms=None if self.hours.is_over(now_ms) else self.hours.end_ms,
            now_ms=now_ms,
            session_start_ms=None if self.hours.is_over(now_ms) else self.hours.start_ms,
            is_heard=self.is_heard,
        )

    def is_stale(self, now_ms: int, at: float, lost_at: float | None, freshness: Freshness) -> bool:
        """Whether the quote is too old, or it is not known whether the market is open.

        While the market is closed there are no newer quotes, so the last one is not too old.
        """
        if self.hours is None or self.hours.is_over(now_ms):
            return True
        if lost_at is not None and at - max(lost_at, self.heard_at) > freshness.unlinked_s:
            return True
        if not self.hours.is_open(now_ms):
            return False
        if self.dated and self.quote is not None:
            return now_ms - self.quote.time_ms > freshness.streamed_s * 1000
        return at - self.heard_at > freshness.streamed_s

    def _is_older(self, reading: QuoteReading) -> bool:
        newest = self.quote
        return newest is not None and self.dated and reading.time_ms is not None and reading.time_ms < newest.time_ms
