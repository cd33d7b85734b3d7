"""What one topic is told, and when. A stream is advanced whenever the market may have moved; it knows no event loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from trading_api.models.market import Bar, BarsSubscription, QuoteData, QuotesSubscription
from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.feed.board import QuoteBoard, no_quote, quote_data
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.spans import BarSpan, span_after, span_at
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.wire import live_bar
from trading_api.shared.ws.topic import Topic

SLOW_MS = 60_000
# More bars than this that began at once are due to a clock that was set, or to a machine that slept.
MAX_MISSED = 1000


class Stream(Protocol):
    """One topic's stream."""

    def advance(self, board: QuoteBoard) -> None:
        """Publish what has changed since the last call; at the first one, everything."""


class QuotesStream:
    """Quotes of several symbols: fast ones as they change, the others when they have changed by the next minute."""

    def __init__(
        self,
        topic: Topic[QuotesSubscription, QuoteData],
        known: Mapping[str, Instrument],
    ) -> None:
        """`known` are the instruments that have quotes, by the name they were asked for."""
        request = topic.request
        self._topic = topic
        self._known = known
        self._fast = frozenset(request.fast_symbols)
        self._symbols: Iterable[str] = tuple(dict.fromkeys([*request.fast_symbols, *request.symbols]))
        self._told: dict[str, tuple[Quote, int]] = {}
        self._begun = False

    def advance(self, board: QuoteBoard) -> None:
        """Publish each symbol that is due."""
        if not self._begun:
            self._begun = True
            for symbol in self._symbols:
                if symbol not in self._known:
                    self._topic.publish(no_quote(symbol), key=symbol)
        for symbol in self._symbols:
            if symbol in self._known:
                self._advance_one(symbol, self._known[symbol], board)

    def _advance_one(self, symbol: str, instrument: Instrument, board: QuoteBoard) -> None:
        last = self._told.get(symbol)
        minute = board.time // SLOW_MS
        if last is not None and symbol not in self._fast and last[1] == minute:
            return
        quote, values = board.told(instrument)
        if last is None or quote != last[0]:
            self._told[symbol] = quote, minute
            self._topic.publish(quote_data(symbol, values), key=symbol)


class BarsStream:
    """The bars of one symbol: each as it forms, then once more in its final state before the next one begins."""

    def __init__(
        self,
        topic: Topic[BarsSubscription, Bar],
        instrument: Instrument,
        schedule: Schedule,
        resolution: Resolution,
    ) -> None:
        self._topic = topic
        self._instrument = instrument
        self._schedule = schedule
        self._resolution = resolution
        self._span: BarSpan | None = None
        self._told: ScaledBar | None = None
        self._time = 0

    def advance(self, board: QuoteBoard) -> None:
        """Publish what has changed. A clock that was set back is waited for: no bar is told older than it was."""
        if self._span is not None and board.time <= self._time:
            return
        self._time = board.time
        newest = span_at(self._schedule, self._resolution, board.time)
        self._finish(board, newest)
        self._span = newest
        self._tell(board, newest)

    def _finish(self, board: QuoteBoard, newest: BarSpan) -> None:
        """Tell the end of the bar that was forming, and every bar between it and the newest."""
        span, missed = self._span, 0
        while span is not None and span.time < newest.time and missed < MAX_MISSED:
            self._tell(board, span)
            span = span_after(self._schedule, self._resolution, span)
            missed += 1

    def _tell(self, board: QuoteBoard, span: BarSpan) -> None:
        bar = board.source.bar(self._instrument, span, board.time)
        if bar != self._told:
            self._told = bar
            self._topic.publish(live_bar(bar))
