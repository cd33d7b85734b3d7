"""The noise of binary floats in imported prices: what it is, and that no price step is made of it (D02)."""

import re
import struct
from decimal import Decimal
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.import_counter import HEADER, Counter

from trading_api.modules.datafeed.decimals import Scaled, parse_scaled
from trading_api.modules.datafeed.importing.float_noise import is_noise, meant, shortest
from trading_api.modules.datafeed.importing.rounding import Rounding

PRICES = st.builds(Scaled, st.integers(1, 10**9), st.integers(0, 8)).map(lambda price: shortest(*price))
NOISY = "63.050000000000004"


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Counter:
    return Counter(tmp_path, capsys)


def plain(value: float) -> str:
    """As a file has it: the shortest text of a float, without an exponent."""
    return f"{Decimal(repr(value)):f}"


def _floats_away(value: float, floats: int) -> float:
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    near: float = struct.unpack("<d", struct.pack("<q", bits + floats))[0]
    return near


# --- the rule


@pytest.mark.parametrize(
    ("text", "before"),
    [
        (NOISY, "63.05"),
        ("0.30000000000000004", "0.3"),
        ("2.8499999999999996", "2.85"),
        ("100000.10000000002", "100000.1"),
        ("630500.0000000231", "630500"),
        ("63.04999923706055", "63.05"),
        ("59000.1015625", "59000.1"),
        ("0.10000000149011612", "0.1"),
        # Nobody knows what these were, but no market has such a step.
        ("182.4612579345712", None),
        ("33.33333333333333", None),
    ],
)
def test_D02_noise_is_known_for_what_it_was(text: str, before: str | None) -> None:
    number = parse_scaled(text)
    assert is_noise(number)
    assert meant(number) == (parse_scaled(before) if before else None)


@pytest.mark.parametrize(
    "text",
    ["63.05", "59.001234", "0.000000001234", "0.00000000000123", "110.00390625", "4500.0078125", "12345678.9"],
)
def test_D02_prices_that_somebody_trades_at_are_none(text: str) -> None:
    assert not is_noise(parse_scaled(text))


@given(PRICES)
def test_D02_no_price_of_few_digits_is_noise(price: Scaled) -> None:
    assert not is_noise(price)
    assert not is_noise(parse_scaled(plain(price.coefficient / 10**price.scale)))


@given(st.integers(1, 10**8), st.sampled_from([2, 4, 5]), st.integers(-4, 4).filter(bool))
def test_D02_a_price_some_floats_away_is_noise_and_the_price_is_found(price: int, scale: int, floats: int) -> None:
    text = plain(_floats_away(price / 10**scale, floats))
    # More digits are refused in any case.
    if sum(map(str.isdigit, text)) <= 18:
        assert is_noise(parse_scaled(text))
        assert meant(parse_scaled(text)) == shortest(price, scale)


@given(st.integers(1, 10**6), st.sampled_from([1, 2, 3]))
def test_D02_a_float_of_32_bits_is_noise_where_it_is_long(price: int, scale: int) -> None:
    (value,) = struct.unpack("<f", struct.pack("<f", price / 10**scale))
    text = plain(value)
    if 14 <= sum(map(str.isdigit, text)) <= 18:
        assert meant(parse_scaled(text)) == shortest(price, scale)


@given(st.integers(0, 10**17), st.integers(0, 18))
def test_D02_zeros_at_the_end_change_nothing(coefficient: int, scale: int) -> None:
    number = shortest(coefficient, scale)
    assert number.coefficient * 10 ** (scale - number.scale) == coefficient
    assert number.scale == 0 or number.coefficient % 10


# --- the import


def rows(*prices: str) -> str:
    return HEADER + "".join(f"2024-01-{2 + n:02},{price},{price},{price},{price},5\n" for n, price in enumerate(prices))


def test_D02_a_new_symbol_gets_no_price_step_of_noise(counter: Counter) -> None:
    answer = counter.hand_in_file(rows("63.05", NOISY, "182.4612579345712", "63.1"), symbol="KO")
    assert answer.code == 1
    lines = answer.err.replace(str(counter.file), "FILE").splitlines()
    assert lines[0] == (
        "FILE: prices with the noise of binary floats make no price step; round them to the decimals that such prices "
        "have on their market (N), as pl.col('open', 'high', 'low', 'close').round(N) does in polars and "
        "df.round({'open': N, 'high': N, 'low': N, 'close': N}) in pandas, and import the file then"
    ), "nobody knows what the third price was"
    assert lines[1] == f"FILE:3: open: {NOISY} is no price: it is 63.05 with the noise of a binary float"
    assert [line.partition(" ")[0] for line in lines[1:-1]] == ["FILE:3:"] * 4 + ["FILE:4:"] * 4
    assert lines[5].endswith("open: 182.4612579345712 is no price: it has 13 decimals")
    assert lines[-1] == "refused: 8 problems in 4 rows; nothing was written"
    assert not counter.database.exists()


def test_D02_the_advice_is_there_however_many_rows_are_wrong(counter: Counter) -> None:
    answer = counter.hand_in_file(rows(*["33.33333333333333"] * 25), symbol="KO")
    assert ".round(N)" in answer.err.splitlines()[0]
    assert "and 80 more\nrefused: 100 problems in 25 rows" in answer.err


@pytest.mark.parametrize(
    ("bars", "polars", "pandas"),
    [
        # Only one column is noisy, and other columns have more decimals.
        (["10.25,11.75,9.000000000000002,10.125"], "pl.col('low').round(3)", "df.round({'low': 3})"),
        # The finest price is in another row, before or after the noise.
        (["10,11,9,10.125", "10,11,9,10.300000000000001"], "pl.col('close').round(3)", "df.round({'close': 3})"),
        (["10,11,9,10.300000000000001", "10,11,9,10.0625"], "pl.col('close').round(4)", "df.round({'close': 4})"),
        # Behind the noise.
        ([f"{NOISY},64,63,63"], "pl.col('open').round(2)", "df.round({'open': 2})"),
        (
            ["63,64,62,63.050000000000004", f"{NOISY},64,62,63.5"],
            "pl.col('open', 'close').round(2)",
            "df.round({'open': 2, 'close': 2})",
        ),
        # Nobody knows how many decimals the first had, and what the price of a refused row is.
        (["182.4612579345712,183,182,182.5"], "pl.col('open').round(N)", "df.round({'open': N})"),
        ([f"{NOISY},64,63,63", "63.0625,64,65,63"], "pl.col('open').round(N)", "df.round({'open': N})"),
        # To eight decimals the noise of 32 bits would be another price, and to two the close would be.
        (["63.04999923706055,64,0,0.00000125"], "pl.col('open').round(N)", "df.round({'open': N})"),
    ],
)
def test_D02_the_advice_names_the_noisy_columns_and_destroys_no_price(
    counter: Counter, bars: list[str], polars: str, pandas: str
) -> None:
    content = "time,open,high,low,close\n" + "".join(f"2024-01-{2 + n:02},{bar}\n" for n, bar in enumerate(bars))
    advice = counter.hand_in_file(content, symbol="KO").err.splitlines()[0]
    assert f", as {polars} does in polars and {pandas} in pandas, " in advice


def test_D02_the_advice_names_columns_as_the_file_does(counter: Counter) -> None:
    content = f"time,First, High ,low,<CLOSE>\n2024-01-02,{NOISY},{NOISY},63,63\n"
    answer = counter.hand_in_file(content, symbol="KO", options=("--columns", "open=First"))
    assert "pl.col('First', ' High ').round(2)" in answer.err.splitlines()[0]


def test_D02_the_advice_is_told_to_programs_and_is_no_problem(counter: Counter) -> None:
    failure = counter.hand_in_file(rows(NOISY), symbol="KO", options=("--json",)).failure
    assert (failure["problem_count"], [each["line"] for each in failure["problems"]]) == (4, [2] * 4)
    assert failure["advice"].startswith("prices with the noise of binary floats make no price step; round them")
    assert counter.hand_in_file(rows("63.05"), symbol="KO", options=("--json",)).report["advice"] is None


def test_D02_the_advice_for_a_file_that_cannot_be_read_to_its_end_names_no_decimals(counter: Counter) -> None:
    answer = counter.hand_in_file(rows(NOISY).encode() + b"\xff\n", symbol="KO")
    assert ".round(N)" in answer.err.splitlines()[0]
    assert answer.err.endswith("refused: 5 problems in 1 row; nothing was written\n")


@given(
    clean=st.lists(st.builds(Scaled, st.integers(1, 10**9), st.integers(0, 6)), max_size=4),
    noisy=st.lists(st.tuples(st.integers(1, 10**8), st.integers(1, 5), st.integers(-4, 4)), min_size=1, max_size=4),
)
def test_D02_who_takes_the_advice_gets_every_price_as_it_was(
    clean: list[Scaled], noisy: list[tuple[int, int, int]]
) -> None:
    rounding, meant_by = Rounding(), {}
    for price in clean:
        rounding.note_price(shortest(*price).scale)
    for coefficient, scale, floats in noisy:
        text = plain(_floats_away(coefficient / 10**scale, floats))
        if sum(map(str.isdigit, text)) <= 18 and is_noise(number := parse_scaled(text)):
            meant_by[text] = meant(number)
            rounding.note_noise(0, number, meant_by[text])
    told = re.search(r"round\((\d+)\)", rounding.advice(["open"] * 4, seen_all=True))
    if meant_by and told:
        rounded = {plain(round(float(text), int(told[1]))) for text in meant_by}
        assert {parse_scaled(text) for text in rounded} == set(meant_by.values())
        assert all(shortest(*price).scale <= int(told[1]) for price in clean)


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_D02_a_float_column_without_noise_is_read_as_its_shortest_text(counter: Counter, kind: pa.DataType) -> None:
    prices = pa.array([59.1, 63.05, 70000.12]).cast(kind)
    times = ["2024-01-02", "2024-01-03", "2024-01-04"]
    table = pa.table({"time": times, **dict.fromkeys(("open", "high", "low", "close"), prices)})
    counter.file = counter.folder / "good.parquet"
    pq.write_table(table, counter.file)
    assert counter.ask(str(counter.file), symbol="KO").code == 0
    assert [(each.name, each.pricescale) for each in counter.added()] == [("KO", 100)]


def test_D02_a_known_price_step_is_not_made_finer_by_noise(counter: Counter) -> None:
    counter.hand_in_file(rows("59.1", "60.25"), symbol="KO")
    assert counter.hand_in_file(rows("59.1", "60.25", NOISY), symbol="KO").code == 1
    assert [each.pricescale for each in counter.added()] == [100]
    shipped = counter.hand_in_file(rows(NOISY))
    assert shipped.code == 0, "it has a price step, and gets a warning"
    assert "prices off the tick 0.01 of AAPL" in shipped.err


def test_D02_a_price_step_of_noise_can_be_mended(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    # As a store has it that an earlier version wrote.
    with monkeypatch.context() as patch:
        patch.setattr("trading_api.modules.datafeed.importing.noise_check.is_noise", lambda _number: False)
        assert counter.hand_in_file(rows(NOISY, "59.1"), symbol="KO").code == 0
    assert counter.hand_in_file(rows(NOISY, "59.1"), symbol="KO").code == 0, "once more is once"
    scale = "KO keeps its pricescale 1000000000000000, though these prices have no more than 2 decimals"
    refused = counter.hand_in_file(rows("63.05", "59.1"), symbol="KO")
    assert refused.code == 1
    assert "is stored with other numbers" in refused.err
    assert "; --replace overwrites" in refused.err
    assert f"{scale}; 'instruments import --replace' changes it" in refused.err
    done = counter.hand_in_file(rows("63.05", "59.1"), symbol="KO", options=("--replace",))
    assert (done.code, scale in done.err) == (0, True)


def test_D02_volumes_with_noise_are_kept_and_told(counter: Counter) -> None:
    row = "2024-01-02,1,1,1,1,0.30000000000000004\n"
    answer = counter.hand_in_file(HEADER + row, symbol="KO")
    assert answer.code == 0
    assert "the volumes have up to 17 decimals, and KO gets the quantity step 1e-17" in answer.err
    assert counter.hand_in_file(HEADER + row, symbol="KO").err == "", "it has it already"


def test_D02_noise_of_too_many_digits_gets_the_advice_too(counter: Counter) -> None:
    answer = counter.hand_in_file(rows("0.0012300000000000002"))
    assert "at most 18 digits are kept; it may be the noise of a binary float; round the column" in answer.err
