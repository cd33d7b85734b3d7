"""Ranking of symbols against what a user typed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import chain, islice, product

from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.search_index import WORD, Holders, SearchIndex, words_of
from trading_api.modules.datafeed.instruments.spelling import respelled

MAX_TYPED = 64
"""Characters of a text that are looked at."""
MAX_RESPELLED = 10
"""Results that a misspelled text may have."""
_MAX_MEANINGS, _MAX_TRIES = 4, 6


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched: a name as it was typed, in capitals, its words, and an exchange and type (empty: any)."""

    name: str
    words: tuple[str, ...]
    exchange: str
    symbol_type: str

    @classmethod
    def parse(cls, text: str, *, exchange: str = "", symbol_type: str = "") -> Query | None:
        """`EXCHANGE:NAME` names an exchange. None if that contradicts `exchange`, so that nothing can be found."""
        before, colon, after = text[:MAX_TYPED].strip().upper().partition(":")
        typed, name = (before.strip(), after.strip()) if colon else ("", before)
        wanted = exchange.strip().upper()
        if typed and wanted and typed != wanted:
            return None
        return cls(name, tuple(words_of(name)), typed or wanted, symbol_type.strip().lower())


def search(index: SearchIndex, text: str, *, exchange: str = "", symbol_type: str = "", limit: int) -> list[Instrument]:
    """The best `limit` matches, best first. What is compared are words, whatever their case, accents and punctuation.

    Exact name, start of the name, start of the description, start of a word, anywhere; several words must all match.
    Within a rank shorter names come first, then by name. Only when nothing matches, one word of several may be an
    exchange, and then words may be misspelled. An empty text lists by name.
    """
    query = Query.parse(text, exchange=exchange, symbol_type=symbol_type)
    if query is None:
        return []
    if not query.name:
        part = index.part(query.exchange, query.symbol_type)
        listed = (position for position in index.alphabetical if part is None or position in part)
        positions = list(islice(listed, limit))
    else:
        positions = _best(index, query, limit) or _best_there(index, query, limit) or _meant(index, query, limit)
    return [index.instruments[position] for position in positions]


def _best(index: SearchIndex, query: Query, limit: int) -> list[int]:
    return _first(index, query, chain(_ranks(index, query), _anywhere(index, query)), limit)


def _first(index: SearchIndex, query: Query, ranks: Iterable[Collection[int]], limit: int) -> list[int]:
    """The best `limit` positions that the query's exchange and type admit, of no more ranks than that needs."""
    part = index.part(query.exchange, query.symbol_type)
    found: dict[int, None] = {}
    for rank in ranks:
        new = {position for position in rank if position not in found and (part is None or position in part)}
        found |= dict.fromkeys(nsmallest(limit - len(found), new))
        if len(found) >= limit:
            break
    return list(found)


def _ranks(index: SearchIndex, query: Query) -> Iterator[Collection[int]]:
    """The positions of names and descriptions with words that begin as asked, best rank first; they may come again."""
    if not query.words:
        return
    name, phrase = "".join(query.words), "".join(WORD + word for word in query.words)
    exact = index.named(name)
    yield [position for position in exact if index.instruments[position].name == query.name]
    yield exact
    yield index.named_from(name)
    yield index.described_from(phrase)
    if len(query.words) == 1:
        yield index.with_word_from(name).positions()
        return
    begun = _in_all(index, index.with_word_from(_rarest(index, query)), [WORD + word for word in query.words])
    yield [position for position in begun if phrase in index.line(position)]
    whole = [f"{WORD}{word}{WORD}" for word in query.words]
    yield [position for position in begun if all(word in index.line(position) + WORD for word in whole)]
    yield begun


def _anywhere(index: SearchIndex, query: Query) -> Iterator[Collection[int]]:
    """The positions of names and descriptions that hold every word somewhere; one of several letters, that is."""
    if len(query.words) == 1:
        yield index.holding(query.words[0]).positions()
    elif query.words:
        rarest = _rarest(index, query)
        found = index.holding(rarest) if len(rarest) > 1 else index.with_word_from(rarest)
        yield _in_all(index, found, [word if len(word) > 1 else WORD + word for word in query.words])


def _rarest(index: SearchIndex, query: Query) -> str:
    """The word that leaves the fewest lines, or nearly so, in which to look for the others."""
    return min(query.words, key=lambda word: index.with_word_from(word).most)


def _in_all(index: SearchIndex, found: Holders, parts: Collection[str]) -> set[int]:
    """The positions where all parts stand, one of which `found` has found."""
    return {position for position in found.positions() if all(part in index.line(position) for part in parts)}


def _best_there(index: SearchIndex, query: Query, limit: int) -> list[int]:
    """`aapl nasdaq`: what the other words find at that exchange."""
    named = next((word for word in query.words if word in index.exchanges), None)
    if query.exchange or named is None:
        return []
    others = tuple(word for word in query.words if word != named)
    return _best(index, replace(query, name="", words=others, exchange=named), limit)


def _meant(index: SearchIndex, query: Query, limit: int) -> list[int]:
    """What misspelled words may have meant; of several words, names are not corrected."""
    if len(query.words) > 1:
        meanings = [_meanings(index, word) for word in query.words]
    else:
        meanings = [respelled(word, index.words, limit=_MAX_MEANINGS) for word in query.words]
    tries = [replace(query, name="", words=words) for words in islice(product(*meanings), _MAX_TRIES)]
    ranks = chain.from_iterable(_ranks(index, meant) for meant in tries)
    return _first(index, query, ranks, min(limit, MAX_RESPELLED))


def _meanings(index: SearchIndex, word: str) -> list[str]:
    """One of several words. It may be right, too: as a word of a description it is, as a name it can be."""
    if index.describes(word):
        return [word]
    return [word] * bool(index.named_from(word)) + respelled(word, index.described_words, limit=_MAX_MEANINGS)
