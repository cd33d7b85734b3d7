"""The catalogue, looking symbols up, and searching them."""

from decimal import Decimal

import pytest

from trading_api.modules.datafeed.catalogue import CatalogueError, load_catalogue, parse_catalogue
from trading_api.modules.datafeed.directory import InstrumentDirectory
from trading_api.modules.datafeed.instrument import Instrument, SymbolRef, check_name
from trading_api.modules.datafeed.search import search
from trading_api.modules.datafeed.sqlite_store import SqliteStore

GOOD = """
ABC:
  {description: A, exchange: X, type: stock, session: 24x7, timezone: Etc/UTC,
   pricescale: 1, minmov: 1, volume_precision: 0}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("type: stock", "type: stok", "ABC.type"),
        ("session: 24x7", "session: always", "ABC.session.*neither 24x7"),
        ("Etc/UTC", "Mars/Base", "ABC.timezone.*unknown time zone"),
        ("Etc/UTC", "../etc/passwd", "ABC.timezone.*unknown time zone"),
        ("pricescale: 1", "pricescale: 0", "ABC.pricescale"),
        ("pricescale: 1", "pricescale: 1.5", "ABC.pricescale"),
        ("minmov: 1, ", "", "ABC.minmov: Field required"),
        ("minmov: 1", "minmov: 1, tick: 1", "ABC.tick: Extra inputs"),
        ("ABC:", "a b:", "a b"),
        ("ABC:", "ABC: [", "not valid YAML"),
    ],
)
def test_D02_broken_catalogue_is_refused_by_symbol_and_field(old: str, new: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=f"(?s)^c.yaml: .*{message}"):
        parse_catalogue(GOOD.replace(old, new), name="c.yaml")


def test_D02_shipped_catalogue_has_the_ticks_and_steps_of_the_contract() -> None:
    shipped = {entry.name: (entry.exchange, entry.tick, entry.quantity_step) for entry in load_catalogue()}
    cent, step = Decimal("0.01"), Decimal("0.0001")
    assert shipped == {
        "AAPL": ("NASDAQ", cent, step),
        "MSFT": ("NASDAQ", cent, step),
        "GOOG": ("NASDAQ", cent, step),
        "EURUSD": ("FX", Decimal("0.00001"), Decimal(1)),
        "BTCUSD": ("CRYPTO", cent, step),
        "ES": ("CME", Decimal("0.25"), Decimal(1)),
    }


@pytest.mark.parametrize("text", ["", "A B", "A/B", "Ä", "X:", "A" * 33, "_A", "N@SDAQ:A"])
def test_D02_impossible_name_for_a_new_symbol_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not valid"):
        check_name(SymbolRef.parse(text))


@pytest.mark.parametrize("text", ["AAPL", "aapl", "NASDAQ:AAPL", "nasdaq:aapl", " aapl "])
def test_D01_symbol_is_found_in_any_case_with_or_without_exchange(text: str, store: SqliteStore) -> None:
    found = InstrumentDirectory(load_catalogue(), store).find(text)
    assert found is not None
    assert found.name == "AAPL"


@pytest.mark.parametrize("text", ["", "AAP", "NYSE:AAPL", ":AAPL", "NASDAQ:", "AAPL:NASDAQ"])
def test_D01_unknown_symbol_is_not_found(text: str, store: SqliteStore) -> None:
    assert InstrumentDirectory(load_catalogue(), store).find(text) is None


def entry(name: str, description: str, exchange: str = "X", kind: str = "stock") -> Instrument:
    return Instrument(name, exchange, kind, description, "24x7", "Etc/UTC", 100, 1, 0)


LISTED = [
    entry("ZSUBGOLD", "Something"),
    entry("AAA", "Old Gold Mine"),
    entry("BBB", "Marigold Farms"),
    entry("GOLDX", "Prefix"),
    entry("GOLD", "Exact", exchange="Y", kind="fund"),
    entry("CCC", "Silver"),
]


def names(text: str, *, limit: int = 10, exchange: str = "", symbol_type: str = "") -> list[str]:
    found = search(LISTED, text, exchange=exchange, symbol_type=symbol_type, limit=limit)
    return [instrument.name for instrument in found]


def test_D01_search_ranks_exact_prefix_word_substring() -> None:
    assert names("gold") == ["GOLD", "GOLDX", "AAA", "BBB", "ZSUBGOLD"]
    assert names("GOLD", limit=2) == ["GOLD", "GOLDX"]


def test_D01_search_understands_exchange_and_name() -> None:
    assert names("y:go") == ["GOLD"]
    assert names("Y:") == ["GOLD"]
    assert names("y:gold", exchange="x") == []
    assert names("nowhere:gold") == []


def test_D01_search_filters_by_exchange_and_type() -> None:
    assert names("gold", exchange="x", symbol_type="STOCK") == ["GOLDX", "AAA", "BBB", "ZSUBGOLD"]
    assert names("gold", symbol_type="fund") == ["GOLD"]


def test_D01_empty_search_lists_all_by_name_and_a_stranger_nothing() -> None:
    assert names("") == ["AAA", "BBB", "CCC", "GOLD", "GOLDX", "ZSUBGOLD"]
    assert names("[a-z]*") == []
