"""Catalogue files: everything that may be wrong is told by line, and what is right survives the way there and back."""

import string
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trading_api.modules.datafeed.instruments import catalogue as catalogue_module
from trading_api.modules.datafeed.instruments.catalogue import (
    FORMATS,
    CatalogueError,
    load_catalogue,
    located,
    parse_catalogue,
    read_catalogue,
    write_catalogue,
)
from trading_api.modules.datafeed.instruments.catalogue_entry import SYMBOL_TYPES
from trading_api.modules.datafeed.instruments.instrument import Instrument

GOOD = """# A catalogue
ABC:
  description: A
  exchange: X
  type: stock
  session: 0930-1600
  timezone: America/New_York
  pricescale: 100
  minmov: 1
  volume_precision: 0
  calendar: XNYS
"""
HEADER = "name,exchange,type,description,session,timezone,pricescale,minmov,volume_precision,calendar\n"
ROW = "ABC,X,stock,A,0930-1600,America/New_York,100,1,0,XNYS\n"
ABC = Instrument("ABC", "X", "stock", "A", "0930-1600", "America/New_York", 100, 1, 0, "XNYS")


def problems(text: str, form: str = "yaml") -> list[str]:
    return [located("c", problem) for problem in read_catalogue(text, form).problems]


@pytest.mark.parametrize(("text", "form"), [(GOOD, "yaml"), (HEADER + ROW, "csv")])
def test_D02_good_catalogue_is_read(text: str, form: str) -> None:
    catalogue = read_catalogue(text, form)
    assert (catalogue.instruments, catalogue.problems) == ([ABC], [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("type: stock", "type: stok", "c:5:9: ABC.type: 'stok' is none of stock, fund"),
        ("0930-1600", "always", "c:6:12: ABC.session: session 'always' is neither 24x7"),
        ("America/New_York", "Mars/Base", "c:7:13: ABC.timezone: unknown time zone 'Mars/Base'"),
        ("America/New_York", "../etc/passwd", "c:7:13: ABC.timezone: unknown time zone"),
        ("America/New_York", "", "c:7:12: ABC.timezone: unknown time zone ''"),
        ("pricescale: 100", "pricescale: 0", "c:8:15: ABC.pricescale: 0 is not from 1"),
        ("pricescale: 100", "pricescale: 1.5", "c:8:15: ABC.pricescale: '1.5' is not a whole number"),
        ("pricescale: 100", "pricescale: -1", "c:8:15: ABC.pricescale: '-1' is not a whole number"),
        ("pricescale: 100", "pricescale: \u0661", "c:8:15: ABC.pricescale: .* is not a whole number"),
        ("pricescale: 100", "pricescale: " + "9" * 10_000, "c:8:15: ABC.pricescale: '99"),
        ("pricescale: 100", f"pricescale: {10**18 + 1}", "c:8:15: ABC.pricescale: .* is not from 1 to 10{18}"),
        (
            "pricescale: 100",
            "pricescale: 3",
            "c:8:15: ABC.pricescale: the price step 1/3 is no decimal number; use",
        ),
        ("pricescale: 100", f"pricescale: {7 * 10**17}", "c:8:15: ABC.pricescale: the price step 1/70* is no decimal"),
        ("volume_precision: 0", "volume_precision: 19", "ABC.volume_precision: 19 is not from 0 to 18"),
        ("  minmov: 1\n", "", "c:2:1: ABC: lacks minmov"),
        ("minmov: 1", "minmov: 1\n  tick: 1", "c:10:9: ABC.tick: unknown field; known are exchange"),
        ("minmov: 1", "minmov: 1\n  minmov: 1", "c:10:3: ABC.minmov: is given twice; first on line 9"),
        ("minmov: 1", "minmov: [1]", "c:9:11: ABC.minmov: must be a plain text or number"),
        ("minmov: 1", "minmov: {a: 1}", "c:9:11: ABC.minmov: must be a plain text or number"),
        ("minmov: 1", "minmov: !!python/object:os.system 1", "c:9:11: ABC.minmov: must be a plain text"),
        ("minmov: 1", "[a, b]: 1", "c:9:11: ABC: must be a plain text"),
        ("calendar: XNYS", "calendar: XNYZ", r"c:11:13: ABC.calendar: unknown calendar 'XNYZ' \(did you mean "),
        ("calendar: XNYS", "calendar: ../../etc", "c:11:13: ABC.calendar: unknown calendar"),
        ("description: A", "description: ' '", "c:3:16: ABC.description: is empty"),
        ("description: A", f"description: {'A' * 201}", "ABC.description: has 201 characters; 200 are allowed"),
        ("description: A", r'description: "A\nB"', "ABC.description: holds characters that cannot be shown"),
        ("description: A", r'description: "A\0B"', "ABC.description: holds characters that cannot be shown"),
        ("exchange: X", "exchange: nyse", "c:4:13: ABC.exchange: 'nyse' is not valid"),
        ("ABC:", "a b:", "c:2:1: a b: not a name: use 1 to 32 capital letters"),
        ("ABC:", "ABC: [", "c:.*: not valid YAML: "),
        ("ABC:", "ABC: 1\nDEF:", "c:2:6: ABC: must be a mapping of fields"),
        ("ABC:", "? [A]\n: 1\nDEF:", "c:2:3: a name must be a plain text"),
        ("# A catalogue", "--- \n...\n---", "c:2:1|c:3:1: only one document is allowed"),
        (GOOD, "- ABC\n", "c:1:1: a catalogue is a mapping of names to facts"),
        (GOOD, "ABC\n", "c:1:1: a catalogue is a mapping of names to facts"),
        ("  minmov: 1", "\tminmov: 1", "not valid YAML: "),
        ("A catalogue", "\x07", "not valid YAML: "),
    ],
)
def test_D02_broken_catalogue_is_refused_by_line_symbol_and_field(old: str, new: str, message: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(CatalogueError, match=f"(?s){message}"):
        parse_catalogue(text, name="c")


@pytest.mark.parametrize(("minmov", "pricescale"), [(1, 32), (1, 10**18), (3, 3), (25, 100), (9, 60 * 3), (7, 14)])
def test_D02_every_price_step_that_is_a_decimal_is_taken(minmov: int, pricescale: int) -> None:
    text = GOOD.replace("pricescale: 100", f"pricescale: {pricescale}").replace("minmov: 1", f"minmov: {minmov}")
    (read,) = parse_catalogue(text, name="c")
    assert (read.minmov, read.pricescale) == (minmov, pricescale)


def test_D02_all_problems_of_a_catalogue_are_told_at_once_and_good_entries_are_read() -> None:
    broken = GOOD.replace("ABC:", "DEF:").replace("stock", "stok").replace("XNYS", "XNYZ").replace("  minmov: 1\n", "")
    text = GOOD + "\n".join(broken.splitlines()[1:]) + "\n" + "\n".join(GOOD.splitlines()[1:])
    catalogue = read_catalogue(text, "yaml")
    assert [str(problem).partition(":")[0] for problem in catalogue.problems] == [
        "DEF.type",
        "DEF.calendar",
        "DEF",
        "ABC",
    ]
    assert str(catalogue.problems[-1]) == "ABC: is given twice; first on line 2"
    assert catalogue.instruments == [ABC]


@pytest.mark.parametrize("text", ["", "\n", "# only this\n", "---\n", "{}\n", "--- {}\n...\n"])
def test_D02_empty_yaml_catalogue_has_no_instruments_and_no_problems(text: str) -> None:
    catalogue = read_catalogue(text, "yaml")
    assert (catalogue.instruments, catalogue.problems) == ([], [])


def test_D02_values_are_text_whatever_yaml_makes_of_it() -> None:
    text = GOOD.replace("ABC:", "ON:").replace("description: A", "description: 1e3").replace("exchange: X", "exchange:")
    found = read_catalogue(text, "yaml")
    assert found.problems == []
    assert (found.instruments[0].name, found.instruments[0].description) == ("ON", "1e3")
    assert found.instruments[0].exchange == ""


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "ABC:\n  minmov: " + "[" * 100_000,
        "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
        "ABC: &x {minmov: 1}\nDEF: *x\n",
        "ABC:\n  <<: {minmov: 1}\n",
    ],
)
def test_D02_deep_and_self_referring_yaml_is_refused(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "c:1: the header lacks name, exchange"),
        (ROW, "c:1: the header lacks name"),
        (HEADER.replace("minmov", "tick") + ROW, "c:1: the header lacks minmov"),
        (HEADER.replace("minmov", "tick") + ROW, "c:1: the header has unknown columns: tick"),
        (HEADER.replace("calendar", "minmov") + ROW, "c:1: the header has twice: minmov"),
        (HEADER + "ABC,X\n", "c:2: 2 cells under 10 columns"),
        (HEADER + ROW + ROW, "c:3: ABC: is given twice; first on line 2"),
        (HEADER + ROW.replace("ABC", "abc"), "c:2: abc: not a name"),
        (HEADER + ROW.replace("XNYS", "NOPE"), "c:2: ABC.calendar: unknown calendar 'NOPE'"),
        (HEADER + ROW.replace(",A,", ',"A\n\n",') + ROW.replace("stock", "x"), "c:5: ABC: is given twice"),
        (HEADER + ROW.replace(",A,", ',"A,'), "c:2: not valid CSV: "),
        (HEADER + ROW.replace(",A,", f",{'A' * 200_000},"), "c:2: not valid CSV: field larger"),
        (HEADER + ROW.replace(",A,", ",A\x00,"), "c:2: ABC.description: holds characters|not valid CSV"),
    ],
)
def test_D02_broken_csv_catalogue_is_refused_by_line(text: str, message: str) -> None:
    found = "\n".join(problems(text, "csv"))
    assert any(part in found for part in message.split("|")), found


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_D02_csv_columns_in_any_order_and_case_and_by_any_delimiter(delimiter: str, newline: str) -> None:
    columns, cells = HEADER.strip().split(","), ROW.strip().split(",")
    pairs = sorted(zip(columns, cells, strict=True))[1:]  # without the calendar, which is optional
    text = newline.join(delimiter.join(line) for line in ([name.title() for name, _ in pairs], [c for _, c in pairs]))
    found = read_catalogue(text + newline * 3, "csv")
    assert (found.instruments, found.problems) == ([replace(ABC, calendar="")], [])


def test_D02_too_many_instruments_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module, "MAX_INSTRUMENTS", 3)
    rows = "".join(ROW.replace("ABC", f"ABC{number}") for number in range(9))
    assert problems(HEADER + rows, "csv") == ["c:5: more than 3 instruments; divide the file"]


def test_D02_problems_beyond_the_first_thousand_are_only_counted() -> None:
    catalogue = read_catalogue(HEADER + "A\n" * 5000, "csv")
    assert (catalogue.problem_count, len(catalogue.problems)) == (5000, 1000)


_TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40)
_INSTRUMENTS = st.builds(
    Instrument,
    name=st.one_of(
        st.sampled_from(["ON", "NO", "TRUE", "Y", "NULL", "1E5", "0930", "1_000", "1.5", "0X1F"]),
        st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=32),
    ),
    exchange=st.sampled_from(["", "NYSE", "NO", "1", "A-B_C.D"]),
    type=st.sampled_from(SYMBOL_TYPES),
    description=_TEXT.filter(lambda text: text.isprintable() and text.strip() == text and text != ""),
    session=st.sampled_from(["24x7", "0930-1600", "1700-1700:23456"]),
    timezone=st.sampled_from(["Etc/UTC", "Asia/Tokyo"]),
    pricescale=st.builds(lambda twos, fives: 2**twos * 5**fives, st.integers(0, 18), st.integers(0, 18)),
    minmov=st.integers(1, 10**18),
    volume_precision=st.integers(0, 18),
    calendar=st.sampled_from(["", "XNYS", "24/7"]),
)


@pytest.mark.parametrize("form", FORMATS)
@given(instruments=st.lists(_INSTRUMENTS, max_size=5, unique_by=lambda one: one.name))
def test_D02_written_catalogue_is_read_as_the_same(form: str, instruments: Sequence[Instrument]) -> None:
    found = read_catalogue(write_catalogue(instruments, form), form)
    assert (found.instruments, found.problems) == (list(instruments), [])


@given(st.lists(_INSTRUMENTS, max_size=3, unique_by=lambda one: one.name))
def test_D02_written_yaml_means_the_same_to_other_readers(instruments: Sequence[Instrument]) -> None:
    read = yaml.safe_load(write_catalogue(instruments, "yaml"))
    assert {name: facts["description"] for name, facts in read.items()} == {
        one.name: one.description for one in instruments
    }


@given(st.text(max_size=200), st.sampled_from(FORMATS))
def test_D02_no_text_breaks_the_readers(text: str, form: str) -> None:
    catalogue = read_catalogue(text, form)
    assert catalogue.problem_count == len(catalogue.problems)


def test_D02_shipped_catalogue_has_the_ticks_steps_and_calendars_of_the_contract() -> None:
    cent, step = Decimal("0.01"), Decimal("0.0001")
    shipped = {
        one.name: (one.exchange, one.tick, one.quantity_step, one.session, one.calendar) for one in load_catalogue()
    }
    assert {
        "AAPL": ("NASDAQ", cent, step, "0930-1600", "XNYS"),
        "MSFT": ("NASDAQ", cent, step, "0930-1600", "XNYS"),
        "GOOG": ("NASDAQ", cent, step, "0930-1600", "XNYS"),
        "EURUSD": ("FX", Decimal("0.00001"), Decimal(1), "1700-1700", "24/5"),
        "BTCUSD": ("CRYPTO", cent, step, "24x7", "24/7"),
        "ES": ("CME", Decimal("0.25"), Decimal(1), "1700-1600", "CMES"),
    }.items() <= shipped.items()


def test_D02_session_and_zone_of_a_shipped_instrument_agree_with_its_calendar() -> None:
    from trading_api.modules.datafeed.calendars import calendar

    for one in load_catalogue():
        if one.type == "stock":
            assert calendar(one.calendar).zone.key == one.timezone
            assert calendar(one.calendar).regular == (9 * 60 + 30, 16 * 60)
