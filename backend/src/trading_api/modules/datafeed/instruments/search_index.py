"""What the search reads: instruments in the order within a rank, their names and words in sorted lists."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.sorted_texts import SortedTexts

WORD = "\x01"
"""Stands before each word of a line: of the name without punctuation, and of the description."""

_NO_LETTERS = re.compile(r"[\W_]+")
_MAX_PARTS = 32


def words_of(text: str) -> list[str]:
    """Its words in capitals, without accents; whatever is neither letter nor digit separates them."""
    if not text.isascii():
        text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return [word for word in _NO_LETTERS.split(text.upper()) if word]


class Holders:
    """Positions that are not gathered before somebody needs them. `most` is how many there are, or more."""

    def __init__(self, named: Sequence[int], described: Sequence[Sequence[int]]) -> None:
        self._named, self._described = named, described
        self.most = len(named) + sum(map(len, described))

    def positions(self) -> set[int]:
        return set(self._named).union(*self._described)


class SearchIndex:
    """Positions number the instruments by the length of their names, then by name.

    It never changes. What is derived from it is made when it is first needed, and kept.
    """

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.instruments = sorted(instruments, key=lambda instrument: (len(instrument.name), instrument.name))
        self._names: list[str] = []
        self._lines: list[str] = []
        self._holders: dict[str, list[int]] = {}
        for position, instrument in enumerate(self.instruments):
            self._add(position, "".join(words_of(instrument.name)), words_of(instrument.description))
        self._words = sorted(self._holders)
        self._by_name = SortedTexts(self._names)
        self._by_word = SortedTexts(self._words)
        self._parts: dict[tuple[str, str], frozenset[int]] = {}

    def _add(self, position: int, name: str, words: Sequence[str]) -> None:
        self._names.append(name)
        self._lines.append(WORD + WORD.join((name, *words)))
        for word in words:
            self._holders.setdefault(word, []).append(position)

    def named(self, name: str) -> list[int]:
        """Where the name is `name`, punctuation apart."""
        return self._by_name.equal(name)

    def named_from(self, beginning: str) -> list[int]:
        """Where the name begins so."""
        return self._by_name.beginning(beginning)

    def described_from(self, beginning: str) -> list[int]:
        """Where the description begins so; WORD stands before each word."""
        return self._by_description.beginning(beginning)

    def with_word_from(self, beginning: str) -> Holders:
        """Where a word of the description, or the name, begins so."""
        return self._holders_of(self._by_name.beginning(beginning), self._by_word.beginning(beginning))

    def holding(self, part: str) -> Holders:
        """Where the name or a word of the description holds `part`."""
        return self._holders_of(self._by_name.holding(part), self._by_word.holding(part))

    def _holders_of(self, named: list[int], words: list[int]) -> Holders:
        return Holders(named, [self._holders[self._words[number]] for number in words])

    def describes(self, word: str) -> bool:
        """Whether it is a word of some description."""
        return word in self._holders

    def line(self, position: int) -> str:
        """The name and the words, with WORD before each."""
        return self._lines[position]

    @cached_property
    def _by_description(self) -> SortedTexts:
        return SortedTexts([line[line.find(WORD, 1) :] for line in self._lines])

    @cached_property
    def alphabetical(self) -> list[int]:
        """All positions, by name."""
        return sorted(range(len(self.instruments)), key=lambda position: self.instruments[position].name)

    @cached_property
    def exchanges(self) -> frozenset[str]:
        """In capitals."""
        return frozenset(instrument.exchange.upper() for instrument in self.instruments)

    @cached_property
    def described_words(self) -> list[str]:
        """Every word of a description that is made of letters only, sorted."""
        return [word for word in self._words if word.isalpha()]

    @cached_property
    def words(self) -> list[str]:
        """The same, and names."""
        return sorted({*self.described_words, *(name for name in self._names if name.isalpha())})

    def part(self, exchange: str, symbol_type: str) -> frozenset[int] | None:
        """The positions of one exchange (in capitals) and type; empty is any. None: all of them."""
        if not exchange and not symbol_type:
            return None
        found = self._parts.get((exchange, symbol_type))
        if found is None:
            found = frozenset(self._part(exchange, symbol_type))
            # Few of these are in use; strangers must not fill the memory with them.
            if len(self._parts) < _MAX_PARTS:
                self._parts[exchange, symbol_type] = found
        return found

    def _part(self, exchange: str, symbol_type: str) -> Iterator[int]:
        for position, instrument in enumerate(self.instruments):
            if exchange in {"", instrument.exchange.upper()} and symbol_type in {"", instrument.type.lower()}:
                yield position
