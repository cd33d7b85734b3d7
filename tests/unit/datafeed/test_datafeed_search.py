"""Search: what a person expects to find first."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.search import MAX_RESPELLED, search
from trading_api.modules.datafeed.instruments.search_index import SearchIndex, words_of


def entry(name: str, description: str, exchange: str = "X", kind: str = "stock") -> Instrument:
    return Instrument(name, exchange, kind, description, "24x7", "Etc/UTC", 100, 1, 0)


LISTED = [
    entry("ZSUBGOLD", "Something"),
    entry("AAA", "Old Gold Mine"),
    entry("BBB", "Marigold Farms"),
    entry("DDDD", "Gold of Peru"),
    entry("GOLDX", "Prefix"),
    entry("GOLD", "Exact", exchange="Y", kind="fund"),
    entry("CCC", "Silver"),
]
WELL_KNOWN = [
    entry("AAPL", "Apple Inc.", "NASDAQ"),
    entry("APLE", "Hospitality REIT, Inc.", "NYSE"),
    entry("MSFT", "Microsoft Corporation", "NASDAQ"),
    entry("GOOG", "Alphabet Inc. Class C", "NASDAQ"),
    entry("GOOGL", "Alphabet Inc. Class A", "NASDAQ"),
    entry("BRK.A", "Berkshire Hathaway Inc. Class A", "NYSE"),
    entry("BRK.B", "Berkshire Hathaway Inc. Class B", "NYSE"),
    entry("BRKB", "Something Else", "LSE"),
    entry("EURUSD", "Euro / U.S. Dollar", "FX", "forex"),
    entry("BTCUSD", "Bitcoin / U.S. Dollar", "CRYPTO", "crypto"),
    entry("ES", "E-mini S&P 500 Futures", "CME", "futures"),
    entry("NESN", "Nestlé S.A.", "SIX"),
    entry("OR", "L'Oréal SA", "EURONEXT"),
    entry("MC", "LVMH Moët Hennessy", "EURONEXT"),
    entry("7203", "Toyota Motor トヨタ自動車", "TSE"),
    entry("7201", "Nissan Motor", "TSE"),
]
_LISTED, _WELL_KNOWN = SearchIndex(LISTED), SearchIndex(WELL_KNOWN)


def names(text: str, *, limit: int = 10, exchange: str = "", symbol_type: str = "") -> list[str]:
    return [one.name for one in search(_LISTED, text, exchange=exchange, symbol_type=symbol_type, limit=limit)]


def known(text: str, *, exchange: str = "") -> list[str]:
    return [one.name for one in search(_WELL_KNOWN, text, exchange=exchange, limit=30)]


def test_D01_search_ranks_exact_prefix_description_word_substring() -> None:
    assert names("gold") == ["GOLD", "GOLDX", "DDDD", "AAA", "BBB", "ZSUBGOLD"]
    assert names("GOLD", limit=2) == ["GOLD", "GOLDX"]


def test_D01_search_understands_exchange_and_name() -> None:
    assert names("y:go") == ["GOLD"]
    assert names("Y:") == names(" y : ") == ["GOLD"]
    assert names("y:gold", exchange="x") == []
    assert names("x:gold", exchange="X")[0] == "GOLDX"
    assert names("nowhere:gold") == []
    assert names("nowhere:") == []


def test_D01_search_filters_by_exchange_and_type() -> None:
    assert names("gold", exchange="x", symbol_type="STOCK") == ["GOLDX", "DDDD", "AAA", "BBB", "ZSUBGOLD"]
    assert names("gold", symbol_type="fund") == ["GOLD"]
    assert names("", symbol_type="fund") == ["GOLD"]
    assert names("gold", symbol_type="nothing") == []


@pytest.mark.parametrize("text", ["", "  ", "\t"])
def test_D01_empty_search_lists_all_by_name(text: str) -> None:
    assert names(text) == ["AAA", "BBB", "CCC", "DDDD", "GOLD", "GOLDX", "ZSUBGOLD"]
    assert names(text, limit=2) == ["AAA", "BBB"]


@pytest.mark.parametrize("text", ["[a-z]*", "???", "%", "\x00", "\x01", "\x02", "\n", "ẞ", "*" * 100_000, ":" * 9])
def test_D02_search_for_what_is_no_word_finds_nothing_and_does_no_harm(text: str) -> None:
    assert names(text) == ([] if text.strip() else names(""))


def test_D02_long_input_is_cut_before_it_costs_anything() -> None:
    assert names("gold" + " " * 10**6 + "nothing") == names("gold")
    assert set(names("gold " * 10**5)) == set(names("gold"))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("brk.b", ["BRK.B", "BRKB"]),
        ("brkb", ["BRKB", "BRK.B"]),
        ("brk b", ["BRKB", "BRK.B"]),
        ("eur/usd", ["EURUSD"]),
        ("btc usd", ["BTCUSD"]),
        ("usd btc", ["BTCUSD"]),
        ("e-mini s&p", ["ES"]),
        ("s&p 500", ["ES"]),
        ("nestle", ["NESN"]),
        ("NESTLÉ", ["NESN"]),
        ("moet", ["MC"]),
        ("loreal", ["OR"]),
        ("l oreal", ["OR"]),
        ("トヨタ", ["7203"]),
    ],
)
def test_D02_search_ignores_case_accents_spaces_and_punctuation(text: str, first: list[str]) -> None:
    assert known(text)[: len(first)] == first


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("apple inc", ["AAPL"]),
        ("inc apple", ["AAPL"]),
        ("app in", ["AAPL"]),
        ("alphabet class", ["GOOG", "GOOGL"]),
        ("class a alphabet", ["GOOGL", "GOOG"]),
        ("soft corp", ["MSFT"]),
        ("apple gold", []),
        ("aapl nasdaq", ["AAPL"]),
        ("nasdaq inc", ["AAPL", "GOOG", "GOOGL"]),
        ("aapl nyse", []),
    ],
)
def test_D02_every_word_must_match_and_one_may_be_the_exchange(text: str, found: list[str]) -> None:
    assert known(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("appel", ["AAPL"]),
        ("microsfot", ["MSFT"]),
        ("micrsoft", ["MSFT"]),
        ("microsofft", ["MSFT"]),
        ("micrsof", ["MSFT"]),
        ("bitcion", ["BTCUSD"]),
        ("tesla", []),
        ("msftt", ["MSFT"]),
        ("mfst", ["MSFT"]),
        ("aplpe corp", []),
        ("aplpe inc", ["AAPL"]),
        ("aple inc", ["APLE"]),
        ("appel inc", ["AAPL"]),
        ("nasdaq:appel", ["AAPL"]),
        ("nyse:appel", []),
        ("qqqqqq", []),
        ("xy", []),
    ],
)
def test_D02_misspelled_words_are_understood(text: str, found: list[str]) -> None:
    assert known(text) == found


def test_D02_numbers_are_not_misspelled_and_what_matches_is_not_mixed_with_guesses() -> None:
    assert known("7202") == []
    assert known("goog") == ["GOOG", "GOOGL"]
    assert known("GOOGL") == ["GOOGL"]


def test_D02_guesses_never_flood() -> None:
    index = SearchIndex([entry(f"ABC{letter}", f"Abcd{letter} Company") for letter in "EFGHIJKLMNOPQRSTUVW"])
    assert 0 < len(search(index, "ABZCE", limit=100)) <= MAX_RESPELLED


# The laws. A small alphabet makes names, words and queries meet.
_WORDS = st.text("AB", min_size=1, max_size=4)
_DESCRIPTIONS = st.lists(_WORDS, min_size=1, max_size=3).map(" ".join)
_EXCHANGES, _TYPES = st.sampled_from(["", "X", "Y"]), st.sampled_from(["stock", "fund"])
_NAMES = st.builds(str.__add__, st.sampled_from("AB"), st.text("AB.", max_size=4))
_INSTRUMENTS = st.lists(
    st.builds(entry, _NAMES, _DESCRIPTIONS, _EXCHANGES, _TYPES), max_size=12, unique_by=lambda one: one.name
)
_TYPED = st.one_of(_WORDS, _NAMES, _DESCRIPTIONS, st.text(max_size=8))


def _find(instruments: Sequence[Instrument], text: str, limit: int = 100) -> list[Instrument]:
    return search(SearchIndex(instruments), text, limit=limit)


@given(_INSTRUMENTS, st.data())
def test_D02_exact_name_is_always_first(instruments: list[Instrument], data: st.DataObject) -> None:
    if instruments:
        wanted = data.draw(st.sampled_from(instruments))
        assert _find(instruments, wanted.name.lower())[0] == wanted


@given(_INSTRUMENTS, _TYPED, _EXCHANGES, st.sampled_from(["", "stock", "fund"]), st.integers(1, 5))
def test_D02_results_obey_filters_and_limit_and_come_once(
    instruments: list[Instrument], text: str, exchange: str, symbol_type: str, limit: int
) -> None:
    index = SearchIndex(instruments)
    found = search(index, text, exchange=exchange, symbol_type=symbol_type, limit=limit)
    assert len(found) <= limit
    assert len({one.name for one in found}) == len(found)
    assert all(exchange in {"", one.exchange} and symbol_type in {"", one.type} for one in found)
    assert found == search(index, text, exchange=exchange, symbol_type=symbol_type, limit=100)[:limit]


@given(_INSTRUMENTS, _TYPED, st.randoms(use_true_random=False))
def test_D02_order_does_not_depend_on_the_order_of_the_instruments(
    instruments: list[Instrument], text: str, randomness: random.Random
) -> None:
    shuffled = list(instruments)
    randomness.shuffle(shuffled)
    assert _find(shuffled, text) == _find(instruments, text)


@given(_INSTRUMENTS, _WORDS)
def test_D02_ranks_of_one_word_never_mix(instruments: list[Instrument], word: str) -> None:
    def rank(one: Instrument) -> int:
        name, described = "".join(words_of(one.name)), one.description.split()
        tests = [
            one.name == word,
            name == word,
            name.startswith(word),
            described[0].startswith(word),
            any(part.startswith(word) for part in described),
            word in name or any(word in part for part in described),
        ]
        return tests.index(True) if any(tests) else len(tests)

    matching = [one for one in instruments if rank(one) < 6]
    found = _find(instruments, word)
    if matching:
        assert found == sorted(matching, key=lambda one: (rank(one), len(one.name), one.name))
    else:
        assert len(found) <= MAX_RESPELLED


@given(_INSTRUMENTS, st.lists(_WORDS, min_size=2, max_size=3))
def test_D02_all_that_hold_every_word_are_found(instruments: list[Instrument], typed: list[str]) -> None:
    def holds(one: Instrument, word: str) -> bool:
        parts = ["".join(words_of(one.name)), *one.description.split()]
        return any(part.startswith(word) if len(word) == 1 else word in part for part in parts)

    found = {one.name for one in _find(instruments, " ".join(typed))}
    assert {one.name for one in instruments if all(holds(one, word) for word in typed)} <= found
