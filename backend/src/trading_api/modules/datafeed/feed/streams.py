"""What one topic is told, and when. A stream is advanced whenever the market may have moved; it knows no event loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from trading_api.models.market import Bar, BarsSubscription, QuoteData, QuotesSubscription
from trading_api.modules.datafeed.bar import ScaledBar
from trading_api.modules.datafeed.feed.board import QuoteBoard, Told, no_quote, quote_json
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

    def advance(self, board: QuoteBoard) -> Iterator[None]:
        """Publish what has changed since the last call; at the first one, everything.

        Stops after every update, so that whoever runs it may let others have a turn.
        """


class QuotesStream:
    """Quotes of several symbols: fast ones as they change, the others when they have changed by the next minute."""

    def __init__(
        self,
        topic: Topic[QuotesSubscription, QuoteData],
        known: Mapping[str, Instrument],
    ) -> None:
        """`known` are the instruments that have quotes, by the name they were asked for."""
        request = topic.request
        fast = dict.fromkeys(request.fast_symbols)
        slow = {symbol: None for symbol in request.symbols if symbol not in fast}
        self._topic = topic
        self._lines = [*_lines(fast, known, fast=True), *_lines(slow, known, fast=False)]
        # Told once, and then forgotten.
        self._unknown: tuple[str, ...] = tuple(symbol for symbol in (*fast, *slow) if symbol not in known)

    def advance(self, board: QuoteBoard) -> Iterator[None]:
        """Publish each symbol that is due."""
        for symbol in self._unknown:
            self._topic.publish(no_quote(symbol), key=symbol)
            yield
        self._unknown = ()
        for line in self._lines:
            told = line.due(board)
            if told is not None:
                for symbol in line.symbols:
                    self._topic.publish_json(quote_json(symbol, told), key=symbol)
                    yield


class _Line:
    """One instrument within a stream, and every spelling that it was asked for by."""

    __slots__ = ("_fast", "_instrument", "_minute", "_quote", "symbols")

    def __init__(self, instrument: Instrument, symbols: tuple[str, ...], *, fast: bool) -> None:
        self.symbols = symbols
        self._instrument = instrument
        self._fast = fast
        self._quote: Quote | None = None
        self._minute = -1

    def due(self, board: QuoteBoard) -> Told | None:
        """What is to be told now, from now on taken to have been told; None if nothing."""
        minute = board.time // SLOW_MS
        if not self._fast and minute == self._minute:
            return None
        told = board.told(self._instrument)
        if told.quote == self._quote:
            return None
        self._quote, self._minute = told.quote, minute
        return told


def _lines(symbols: Iterable[str], known: Mapping[str, Instrument], *, fast: bool) -> Iterator[_Line]:
    spellings: dict[Instrument, list[str]] = {}
    for symbol in symbols:
        if symbol in known:
            spellings.setdefault(known[symbol], []).append(symbol)
    return (_Line(instrument, tuple(found), fast=fast) for instrument, found in spellings.items())


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

    def advance(self, board: QuoteBoard) -> Iterator[None]:
        """Publish what has changed. A clock that was set back is waited for: no bar is told older than it was."""
        if self._span is not None and board.time <= self._time:
            return
        self._time = board.time
        newest = span_at(self._schedule, self._resolution, board.time)
        yield from self._finish(board, newest)
        self._span = newest
        self._tell(board, newest)
        yield

    def _finish(self, board: QuoteBoard, newest: BarSpan) -> Iterator[None]:
        """Tell the end of the bar that was forming, and every bar between it and the newest."""
        span, missed = self._span, 0
        while span is not None and span.time < newest.time and missed < MAX_MISSED:
            self._tell(board, span)
            yield
            span = span_after(self._schedule, self._resolution, span)
            missed += 1

    def _tell(self, board: QuoteBoard, span: BarSpan) -> None:
        bar = board.source.bar(self._instrument, span, board.time)
        if bar != self._told:
            self._told = bar
            self._topic.publish(live_bar(bar))
