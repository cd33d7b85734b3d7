"""What one topic is told, and when. A stream is advanced whenever the market may have moved; it knows no event loop."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from trading_api.models.market import Bar, BarsSubscription, QuoteData, QuotesSubscription
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.board import QuoteBoard, Told, no_quote, quote_json
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.wire import live_bar
from trading_api.shared.ws.topic import Topic

SLOW_MS = 60_000
_EVER = -(2**60)


class Stream(Protocol):
    """One topic's stream."""

    @property
    def instruments(self) -> Collection[Instrument]:
        """What it is about, each once."""
        ...

    @property
    def missing(self) -> Collection[str]:
        """The symbols that it was asked for and that have no quotes, as far as is known."""
        ...

    def learn(self, known: Mapping[str, Instrument]) -> None:
        """Some of the missing may have quotes now, by the name that they were asked for."""
        ...

    def advance(self, board: QuoteBoard) -> Iterator[None]:
        """Publish what has changed since the last call; at the first one, everything.

        Stops after every update, so that whoever runs it may let others have a turn.
        """
        ...

    def waits(self, board: QuoteBoard) -> bool:
        """Whether it has told what is later than the board, and tells nothing until that has caught up."""
        ...


class QuotesStream:
    """Quotes of several symbols: fast ones as they change, the others when they have changed by the next minute."""

    def __init__(
        self,
        topic: Topic[QuotesSubscription, QuoteData],
        known: Mapping[str, Instrument],
    ) -> None:
        """`known` are the instruments that may have quotes, by the name they were asked for."""
        request = topic.request
        self._fast = frozenset(request.fast_symbols)
        self._topic = topic
        self.instruments: Collection[Instrument] = frozenset()
        self.missing: tuple[str, ...] = tuple(dict.fromkeys((*request.fast_symbols, *request.symbols)))
        self._lines: list[_Line] = []
        self._by_name: dict[str, list[_Line]] = {}
        self.learn(known)
        self._untold = self.missing

    def learn(self, known: Mapping[str, Instrument]) -> None:
        """Begin with those that were missing."""
        found = [symbol for symbol in self.missing if symbol in known]
        for is_fast in (True, False):
            for line in _lines([symbol for symbol in found if (symbol in self._fast) is is_fast], known, fast=is_fast):
                self._lines.append(line)
                self._by_name.setdefault(line.name, []).append(line)
        self.instruments = frozenset((*self.instruments, *(known[symbol] for symbol in found)))
        self.missing = tuple(symbol for symbol in self.missing if symbol not in known)

    def advance(self, board: QuoteBoard) -> Iterator[None]:
        """Publish each symbol that is due."""
        # Told once.
        untold, self._untold = self._untold, ()
        for symbol in untold:
            self._topic.publish(no_quote(symbol), key=symbol)
            yield
        for line in self._changed(board):
            told = line.due(board)
            if told is not None:
                for symbol in line.symbols:
                    self._topic.publish_json(quote_json(symbol, told), key=symbol)
                    yield

    def waits(self, board: QuoteBoard) -> bool:  # noqa: ARG002 - it tells whatever is in force
        """Never."""
        return False

    def _changed(self, board: QuoteBoard) -> Iterable[_Line]:
        if board.changed is None:
            return self._lines
        return [line for name in board.changed for line in self._by_name.get(name, ())]


class _Line:
    """One instrument within a stream, and every spelling that it was asked for by."""

    __slots__ = ("_fast", "_instrument", "_minute", "_quote", "name", "symbols")

    def __init__(self, instrument: Instrument, symbols: tuple[str, ...], *, fast: bool) -> None:
        self.name = instrument.name
        self.symbols = symbols
        self._instrument = instrument
        self._fast = fast
        self._quote: Quote | None = None
        self._minute: int | None = None

    def due(self, board: QuoteBoard) -> Told | None:
        """What is to be told now, from now on taken to have been told; None if nothing."""
        minute = board.wall // SLOW_MS
        if not self._fast and minute == self._minute:
            return None
        told = board.told(self._instrument)
        # The very same, mostly: to look is quicker than to compare.
        if (told.quote is self._quote or told.quote == self._quote) and self._minute is not None:
            return None
        self._quote, self._minute = told.quote, minute
        return told


def _lines(symbols: Iterable[str], known: Mapping[str, Instrument], *, fast: bool) -> Iterator[_Line]:
    spellings: dict[Instrument, list[str]] = {}
    for symbol in symbols:
        spellings.setdefault(known[symbol], []).append(symbol)
    return (_Line(instrument, tuple(found), fast=fast) for instrument, found in spellings.items())


class BarsStream:
    """The bars of one symbol: each as it forms, then once more in its final state before the next one begins."""

    missing: Collection[str] = ()

    def __init__(self, topic: Topic[BarsSubscription, Bar], instrument: Instrument, resolution: Resolution) -> None:
        self.instruments: Collection[Instrument] = (instrument,)
        self._topic = topic
        self._instrument = instrument
        self._resolution = resolution
        self._told: ScaledBar | None = None
        self._moment: int | None = None

    def advance(self, board: QuoteBoard) -> Iterator[None]:
        """Publish what has changed. A clock that was set back is waited for: no bar is told older than it was."""
        if self._moment is not None and (board.moment <= self._moment or not self._may_have_changed(board)):
            return
        # Where there was no bar at first, all are new.
        since = None if self._moment is None else self._told.time if self._told else _EVER
        self._moment = board.moment
        for bar in board.source.bars(self._instrument, self._resolution, since, board.moment):
            if bar != self._told:
                self._told = bar
                self._topic.publish(live_bar(bar))
            yield

    def learn(self, known: Mapping[str, Instrument]) -> None:
        """Nothing: one that has no bars is refused."""

    def waits(self, board: QuoteBoard) -> bool:
        """While the clock is behind where it was."""
        return self._moment is not None and board.moment < self._moment

    def _may_have_changed(self, board: QuoteBoard) -> bool:
        return board.changed is None or self._instrument.name in board.changed
