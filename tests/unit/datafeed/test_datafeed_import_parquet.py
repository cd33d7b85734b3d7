"""Parquet: every type of column that may hold prices and times, and every kind of wrong."""

import math
import os
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.import_counter import Answer, Counter

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.decimals import parse_scaled
from trading_api.modules.datafeed.importing import parquet_source
from trading_api.modules.datafeed.importing.parquet_source import ParquetSource
from trading_api.modules.datafeed.importing.problems import FileError
from trading_api.modules.datafeed.importing.steady_file import SteadyFile

MIDNIGHT = 1_704_153_600_000
DAY = 86_400_000
NUMBERS = {"open": [10], "high": [12], "low": [9], "close": [11], "volume": [5]}
EXPECTED = ScaledBar(MIDNIGHT, 0, 10, 12, 9, 11, 0, 5)


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Counter:
    return Counter(tmp_path, capsys)


def parquet(path: Path, columns: Mapping[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(dict(columns)), path, **options)
    return path


def hand_in(
    counter: Counter, columns: Mapping[str, Any], *options: str, resolution: str = "1", symbol: str = "BTCUSD"
) -> Answer:
    counter.file = parquet(counter.folder / "bars.parquet", columns)
    return counter.ask(str(counter.file), *options, resolution=resolution, symbol=symbol)


INSTANT = datetime(2024, 1, 2, tzinfo=UTC)
TIMES = {
    **{
        f"timestamp {unit} {zone}": pa.array([INSTANT.replace(tzinfo=None)], pa.timestamp(unit)).cast(
            pa.timestamp(unit, zone)
        )
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "+00:00")
    },
    "timestamp elsewhere": pa.array([INSTANT], pa.timestamp("us", "America/New_York")),
    "date32": pa.array([INSTANT.date()], pa.date32()),
    "date64": pa.array([INSTANT.date()], pa.date64()),
    "epoch seconds": pa.array([MIDNIGHT // 1000], pa.int64()),
    "epoch seconds unsigned": pa.array([MIDNIGHT // 1000], pa.uint32()),
    "epoch milliseconds": pa.array([MIDNIGHT], pa.int64()),
    "epoch as float": pa.array([MIDNIGHT / 1000], pa.float64()),
    "basic date": pa.array([20240102], pa.int32()),
    "text": pa.array(["2024-01-02 00:00"]),
    "large text": pa.array(["2024-01-02T00:00Z"], pa.large_string()),
    "dictionary": pa.array(["2024-01-02T00:00Z"]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("resolution", ["1", "1D"])
def test_D02_times_of_every_type_are_read(counter: Counter, kind: str, resolution: str) -> None:
    zone = ("--timezone", "UTC") if kind == "timestamp elsewhere" else ()
    answer = hand_in(counter.with_store(), {"time": TIMES[kind], **NUMBERS}, *zone, resolution=resolution)
    assert answer.code == 0, answer.err
    assert counter.bars("BTCUSD", resolution) == [EXPECTED]


def test_D02_naive_timestamps_are_in_the_time_zone_of_the_command(counter: Counter) -> None:
    times = pa.array([datetime.fromisoformat("2024-01-02 09:30")], pa.timestamp("us"))
    assert hand_in(counter, {"time": times, **NUMBERS}, "--timezone", "America/New_York").code == 0
    assert [bar.time for bar in counter.bars("BTCUSD", "1")] == [1_704_205_800_000]


def test_D02_days_of_a_time_zone_that_the_file_names_are_days_there(counter: Counter) -> None:
    midnights = [datetime(2024, 1, 1, 23, tzinfo=UTC), datetime(2024, 7, 1, 22, tzinfo=UTC)]
    times = pa.array(midnights, pa.timestamp("ns", "Europe/Berlin"))
    numbers = {name: values * 2 for name, values in NUMBERS.items()}
    assert hand_in(counter, {"Date": times, **numbers}, resolution="1D").code == 0
    assert [bar.time for bar in counter.bars("BTCUSD", "1D")] == [MIDNIGHT, MIDNIGHT + 182 * DAY]


def test_D02_date_and_time_of_day_columns_belong_together(counter: Counter) -> None:
    columns = {"date": pa.array([date(2024, 1, 2)]), "time": pa.array([time(9, 30)], pa.time64("ns")), **NUMBERS}
    assert hand_in(counter, columns, "--timezone", "America/New_York").code == 0
    assert [bar.time for bar in counter.bars("BTCUSD", "1")] == [1_704_205_800_000]


PRICES = {
    "int8": pa.array([10, 12, 9, 11], pa.int8()),
    "uint64": pa.array([10, 12, 9, 11], pa.uint64()),
    "float64": pa.array([0.1, 0.3, 0.1, 0.2]),
    "float32": pa.array([0.1, 0.3, 0.1, 0.2], pa.float32()),
    "float16": pa.array([0.5, 1.5, 0.25, 1.0], pa.float16()),
    "decimal128": pa.array([Decimal("184.05"), Decimal("185.10"), Decimal("180"), Decimal("183.5")]),
    "decimal256": pa.array([Decimal(n) for n in (1, 3, 1, 2)], pa.decimal256(70, 40)),
    "decimal of tiny steps": pa.array([Decimal(f"0.0000000{n}") for n in (1, 3, 1, 2)], pa.decimal128(38, 18)),
    "text": pa.array(["1.50", "2", "1.25", "1.75"]),
    "large text": pa.array(["1.50", "2", "1.25", "1.75"], pa.large_string()),
    "dictionary": pa.array(["1.50", "2", "1.50", "1.50"]).dictionary_encode(),
}
EXACT = {
    "int8": (0, 10, 12, 9, 11),
    "uint64": (0, 10, 12, 9, 11),
    "float64": (1, 1, 3, 1, 2),
    "float32": (1, 1, 3, 1, 2),
    "float16": (2, 50, 150, 25, 100),
    "decimal128": (2, 18405, 18510, 18000, 18350),
    "decimal256": (0, 1, 3, 1, 2),
    "decimal of tiny steps": (8, 1, 3, 1, 2),
    "text": (2, 150, 200, 125, 175),
    "large text": (2, 150, 200, 125, 175),
    "dictionary": (1, 15, 20, 15, 15),
}


@pytest.mark.parametrize("kind", PRICES)
def test_D02_prices_of_every_type_are_exact(counter: Counter, kind: str) -> None:
    four = {name: PRICES[kind][index : index + 1] for index, name in enumerate(("open", "high", "low", "close"))}
    answer = hand_in(counter.with_store(), {"time": [MIDNIGHT], **four})
    assert answer.code == 0, answer.err
    assert counter.bars("BTCUSD", "1") == [ScaledBar(MIDNIGHT, *EXACT[kind], 0, 0)]


def texts(tmp: Path, kind: pa.DataType, values: Sequence[object]) -> list[str]:
    file = parquet(tmp / "texts.parquet", {"x": pa.array(values, kind)})
    with ParquetSource(SteadyFile(file)) as source:
        source.select([0])
        return [cells[0] for batch in source.batches() for _, cells in batch.rows()]


@given(values=st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=1, max_size=20))
def test_D02_floats_are_read_by_their_shortest_text(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    found = texts(tmp_path_factory.mktemp("floats"), pa.float64(), values)
    assert [float(text) for text in found] == values
    assert all(
        len(significant(text)) <= len(significant(repr(value))) for text, value in zip(found, values, strict=True)
    )


@given(values=st.lists(st.floats(0, 1e6, width=32, allow_subnormal=False), min_size=1, max_size=20))
def test_D02_short_floats_are_read_by_their_shortest_text(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    found = texts(tmp_path_factory.mktemp("floats"), pa.float32(), values)
    assert [struct.unpack("f", struct.pack("f", float(text)))[0] for text in found] == values
    assert all(len(significant(text)) <= 9 for text in found)


def significant(text: str) -> str:
    """The significant digits of a number."""
    return "".join(character for character in text.lower().partition("e")[0] if character.isdigit()).strip("0")


@given(values=st.lists(st.decimals(0, 10**9, places=6), min_size=1, max_size=20))
def test_D02_decimals_survive_exactly(tmp_path_factory: pytest.TempPathFactory, values: list[Decimal]) -> None:
    found = texts(tmp_path_factory.mktemp("decimals"), pa.decimal128(20, 6), values)
    assert [Decimal(str(parse_scaled(text))) for text in found] == values


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("close", [None, None], "row 1: close: 'null' is not a number"),
        ("close", [11.0, None], "row 2: close: 'null' is not a number"),
        ("close", [11.0, math.nan], "row 2: close: 'nan' is not a number"),
        ("high", [12.0, math.inf], "row 2: high: 'inf' is not a number"),
        ("low", [9.0, -math.inf], "row 2: low: '-inf' is not a number"),
        ("low", [9.0, -1.0], "row 2: low -1 is negative"),
        ("high", [12, 8], "row 2: high 8 is below low 9"),
        ("open", [10, 10**18], f"row 2: open: {10**18} is out of range"),
        ("volume", [5, None], "row 2: volume: 'null' is not a number"),
        ("time", [INSTANT, None], "row 2: time 'null' is not an ISO date"),
        ("time", [INSTANT, INSTANT + timedelta(seconds=30)], "row 2: time 2024-01-02 00:00:30.000000Z is off the grid"),
        ("time", [MIDNIGHT, MIDNIGHT // 1000], "row 2: time 1704153600 is in seconds, but row 1 is in milliseconds"),
        ("time", ["2024-01-02", str(MIDNIGHT)], f"row 2: time {MIDNIGHT} is an epoch, but row 1 is an ISO time; write"),
        ("time", [20240102, MIDNIGHT], f"row 2: time {MIDNIGHT} is an epoch, but row 1 is an ISO time; write all"),
        ("time", [MIDNIGHT * 1000, MIDNIGHT], "row 1: time 1704153600000000 is not within"),
        ("time", [INSTANT, INSTANT], "row 2: 2024-01-02 stands on row 1 with other numbers"),
    ],
)
def test_D02_bad_row_of_a_table_is_reported_by_its_number(
    counter: Counter, column: str, values: list[object], message: str
) -> None:
    columns = {name: [*numbers, *numbers] for name, numbers in NUMBERS.items()}
    columns["volume"] = [5, 6]
    columns["time"] = [INSTANT, INSTANT + timedelta(minutes=1)]  # type: ignore[list-item]
    answer = hand_in(counter, {**columns, column: values})
    assert answer.code == 1
    assert f"{counter.file}: {message}" in answer.err
    assert not counter.database.exists()


def test_D02_report_of_a_table_counts_rows_in_json_too(counter: Counter) -> None:
    answer = hand_in(counter, {"time": ["x"], **NUMBERS}, "--json")
    (problem,) = answer.failure["problems"]
    assert problem["row"] == 1
    assert "line" not in problem


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"open": [1], "high": [1], "low": [1]}, "no column for time, close; found: open, high, low"),
        (
            {"time": [1], **NUMBERS, "close": [[1, 2]]},
            "column 'close' holds list<element: int64>, not numbers, times or text",
        ),
        ({"time": [{"a": 1}], **NUMBERS}, "column 'time' holds struct<a: int64>"),
        ({"time": [1], **NUMBERS, "open": [True]}, "column 'open' holds bool"),
        ({"time": [1], **NUMBERS, "open": [b"1"]}, "column 'open' holds binary"),
        ({"time": pa.array([], pa.int64()), **{name: pa.array([], pa.int64()) for name in NUMBERS}}, "no rows"),
    ],
)
def test_D02_unusable_table_is_refused(counter: Counter, columns: dict[str, Any], message: str) -> None:
    answer = hand_in(counter, columns)
    assert answer.code == 1
    assert f"{counter.file}: {message}" in answer.err
    assert not counter.database.exists()


def test_D02_columns_that_nobody_asked_for_may_hold_anything(counter: Counter) -> None:
    columns = {"a.b": [[1]], "time": [MIDNIGHT], **NUMBERS, "flag": [True], "a": [{"b": 1}]}
    assert hand_in(counter, columns).code == 0
    assert counter.bars("BTCUSD", "1") == [EXPECTED]


def test_D02_column_that_stands_twice_is_refused(counter: Counter) -> None:
    table = pa.table([[1]] * 7, names=["time", "open", "high", "low", "close", "close", "volume"])
    counter.file = counter.folder / "twice.parquet"
    pq.write_table(table, counter.file)
    assert "column 'close' stands 2 times" in counter.ask(str(counter.file)).err


def test_D02_columns_of_a_table_can_be_named(counter: Counter) -> None:
    columns = {"When": [MIDNIGHT], "A": [10], "high": [12], "low": [9], "close": [11], "open": [99], "volume": [5]}
    assert hand_in(counter, columns, "--columns", "time=when,open=a").code == 0
    assert counter.bars("BTCUSD", "1") == [EXPECTED]


def many(folder: Path, rows: int = 20_000) -> Path:
    times = [MIDNIGHT + 60_000 * number for number in range(rows)]
    columns = {"time": times, **{name: [*values] * rows for name, values in NUMBERS.items()}}
    return parquet(folder / "many.parquet", columns, compression="NONE", use_dictionary=False, row_group_size=5_000)


def test_D02_table_is_told_by_its_content_not_by_its_name(counter: Counter) -> None:
    file = many(counter.folder, 3).rename(counter.folder / "bars.csv")
    assert counter.ask(str(file), resolution="1", symbol="BTCUSD").code == 0
    assert len(counter.bars("BTCUSD", "1")) == 3


def test_D02_rows_of_later_batches_and_groups_have_their_own_numbers(counter: Counter) -> None:
    times = [MIDNIGHT + 60_000 * number for number in range(12_000)]
    columns = {"time": times, **{name: values * 12_000 for name, values in NUMBERS.items()}}
    columns["low"] = [*columns["low"][:-1], 13]
    counter.file = parquet(counter.folder / "bars.parquet", columns, row_group_size=5_000)
    answer = counter.ask(str(counter.file), resolution="1", symbol="BTCUSD")
    assert f"{counter.file}: row 12000: high 12 is below low 13" in answer.err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:4], "cut off or damaged: its end is missing; copy or download it again"),
        (lambda content: content[:-1], "cut off or damaged: its end is missing; copy or download it again"),
        (lambda content: content[: len(content) // 2], "cut off or damaged: its end is missing"),
        (lambda content: content[:-9] + b"\xff" * 5 + b"PAR1", "cannot be opened"),
        (lambda content: content[:-4] + b"PARE", "cannot be opened"),
        (lambda content: b"PARE" + content[4:], "an encrypted Parquet file; save it without encryption"),
        (lambda content: content[:1000] + b"\xff" * 300_000 + content[301_000:], "damaged"),
    ],
)
def test_D02_damaged_table_is_refused(counter: Counter, damage: Any, message: str) -> None:
    file = many(counter.folder)
    file.write_bytes(damage(file.read_bytes()))
    answer = counter.ask(str(file), resolution="1", symbol="BTCUSD")
    assert answer.code == 1
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert not counter.database.exists()


def test_D02_table_that_is_cut_off_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = many(tmp_path)
    with ParquetSource(SteadyFile(file)) as source:
        source.select([0, 1])
        batches = source.batches()
        next(batches)
        os.truncate(file, 1000)
        with pytest.raises(FileError, match=r"damaged|changed while"):
            list(batches)


def test_D02_table_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = many(tmp_path)
    with ParquetSource(SteadyFile(file)) as source:
        source.select([0])
        batches = source.batches()
        next(batches)
        os.utime(file, ns=(1, 1))
        with pytest.raises(FileError, match="the file changed while it was read"):
            list(batches)


def test_D02_disk_that_fails_is_not_taken_for_a_damaged_table() -> None:
    with pytest.raises(OSError, match="Input/output"), parquet_source._file_errors("damaged"):
        raise OSError(5, "Input/output error")
