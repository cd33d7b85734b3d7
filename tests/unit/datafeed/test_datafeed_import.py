"""The import command in this process: what it refuses, and what it stores."""

import json
import random
import stat
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.store_file import put_store

from trading_api.modules.datafeed import commands
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.commands import main
from trading_api.modules.datafeed.importing.columns import parse_overrides
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.resolution import Resolution

HEADER = "time,open,high,low,close,volume\n"
DAY_1, DAY_2 = "2024-01-02,10,12,9,11,5\n", "2024-01-03,11,13,10,12,6\n"


class Desk:
    """A folder with one file to import and one store."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "file.csv"
        self.database = folder / "data" / "trading.db"

    def with_store(self) -> "Desk":
        """The store is there already: making it takes most of the time of an import."""
        put_store(self.database)
        return self

    def run(self, content: str | bytes, *options: str, symbol: str = "AAPL", resolution: str = "1D") -> int:
        self.file.write_bytes(content if isinstance(content, bytes) else content.encode())
        store = f"sqlite:///{self.database}"
        return main([str(self.file), "--symbol", symbol, "--resolution", resolution, "--store", store, *options])

    def bars(self, symbol: str = "AAPL", resolution: str = "1D") -> list[ScaledBar]:
        with closing(open_store(f"sqlite:///{self.database}")) as store:
            return store.series(SeriesKey(symbol, Resolution(resolution))).newest(end=None, limit=10_000)

    def added(self) -> list[Instrument]:
        with closing(open_store(f"sqlite:///{self.database}")) as store:
            return InstrumentStore(store.engine).all()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2024-01-04,10,9.1,9.3,9.2,5", "high 9.1 is below low 9.3"),
        ("2024-01-04,14,12,9,11,5", "open 14 is outside low 9 to high 12"),
        ("2024-01-04,10,12,9,8.5,5", "close 8.5 is outside low 9.0 to high 12.0"),
        ("2024-01-04,10,12,-9,11,5", "low -9 is negative"),
        ("2024-01-04,10,12,9,11,-5", "volume -5 is negative"),
        ("2024-01-04,NaN,12,9,11,5", "open: 'NaN' is not a number"),
        ("2024-01-04,10,inf,9,11,5", "high: 'inf' is not a number"),
        ("2024-01-04,10,12,9,,5", "close: '' is not a number"),
        ('2024-01-04,10,12,9,"1,1",5', "close: '1,1' is not a number"),
        ("someday,10,12,9,11,5", "time 'someday' is not an ISO date"),
        ("someday,10,12,9,x,5", "time 'someday' is not an ISO date"),
        ("2024-01-04,10,12,9,11", "5 cells, but the header has 6"),
        ("2024-01-04,10,12,9,11,5,6", "7 cells, but the header has 6"),
        ("2024-01-02,10,12,9,11,7", "2024-01-02 stands on line 2 with other numbers (open 10"),
        ('2024-01-04,"10"x,12,9,11,5', "not valid CSV"),
    ],
)
def test_D02_bad_row_is_reported_by_line_and_nothing_written(
    desk: Desk, capsys: pytest.CaptureFixture[str], row: str, message: str
) -> None:
    assert desk.run(HEADER + DAY_1 + "\n" + DAY_2 + row + "\n") == 1
    assert f"{desk.file}:5: " in capsys.readouterr().err
    assert desk.run(HEADER + DAY_1 + "\n" + DAY_2 + row + "\n") == 1
    assert message in capsys.readouterr().err
    assert not desk.database.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": the file is empty"),
        (HEADER.encode(), ": no rows after the header"),
        (b"time,open,high,low,shut\n", ":1: no column for close; found: time, open, high, low, shut; name it with"),
        (b"2024-01-02,1,1,1,1,1\n", ":1: no column for time, open, high, low, close; found: 2024-01-02, 1"),
        (b"time,open,high,low,close,close\n", ":1: column 'close' stands 2 times"),
        (HEADER.encode() + b"2024-01-02,1,\xff,1,1,1\n", ":2: not UTF-8 text (byte 0xff at position 13)"),
        (HEADER.encode("utf-16"), ":1: binary data or UTF-16"),
        (b"PAR1\0\0", ": this Parquet file is cut off or damaged: its end is missing; copy or"),
        (HEADER.encode() + b"1" * 70_000, ":2: the line is longer than"),
        (HEADER.encode() + b'"2024-01-02,1,1,1,1,1\n', ":2: not valid CSV"),
    ],
)
def test_D02_unusable_file_is_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    assert desk.run(content) == 1
    assert f"{desk.file}{message}" in capsys.readouterr().err
    assert not desk.database.exists()


def test_D02_first_20_problems_are_shown_and_the_rest_counted(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + "x,1,1,1,1,1\n" * 50) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "is not an ISO date" in line]) == 20
    assert lines[-2:] == ["and 30 more", "refused: 50 problems in 50 rows; nothing was written"]


def test_D02_all_problems_of_a_row_are_told_at_once(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + "x,y,z,1,1,1\n") == 1
    *told, last = capsys.readouterr().err.splitlines()
    for line, problem in zip(told, ("time 'x' is not", "open: 'y'", "high: 'z'"), strict=True):
        assert line.startswith(f"{desk.file}:2: {problem}")
    assert last == "refused: 3 problems in 1 row; nothing was written"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--timezone", "Mars/Base"], "unknown time zone 'Mars/Base'"),
        (["--columns", "tme=Date"], "is not FIELD=NAME"),
        (["--exchange", "NYSE"], "AAPL is known with exchange 'NASDAQ', not 'NYSE'"),
        (["--type", "forex"], "AAPL is known with type 'stock', not 'forex'"),
        (["--session", "sometimes"], "neither 24x7 nor HHMM-HHMM"),
        (["--store", "mysql://user:secret@host/db"], "mysql"),
        (["--store", "sqlite:///"], "names no file"),
        (["--calendar", "XNYZ"], "unknown calendar 'XNYZ' (did you mean"),
        (["--calendar", "XLON"], "AAPL is known with calendar 'XNYS', not 'XLON'"),
        (["--resolution", "7"], "unknown resolution '7'"),
        (["--symbol", "no/name"], "symbol 'NO/NAME' is not valid"),
        (["--symbol", "X:AAPL", "--exchange", "Y"], "--symbol says exchange 'X', --exchange says 'Y'"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_D02_wrong_usage_is_exit_code_2(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert desk.run(HEADER + DAY_1, *options) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "secret" not in said
    assert not desk.database.exists()


def test_D02_missing_file_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.csv"), "--symbol", "A", "--resolution", "D"]) == 2
    assert "none.csv: no such file" in capsys.readouterr().err


def test_D02_interrupted_import_ends_without_a_traceback(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "import_bars", interrupted)
    assert desk.run(HEADER + DAY_1) == 1
    assert "interrupted; nothing was written; run it again, which is safe" in capsys.readouterr().err


def test_D02_changed_bar_is_refused_without_replace(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + DAY_1) == 0
    before = desk.bars()
    changed = HEADER + DAY_2 + DAY_1.replace(",5", ",5.5")
    assert desk.run(changed) == 1
    assert "file.csv:3: 2024-01-02 is stored with other numbers (open 10" in capsys.readouterr().err
    assert desk.bars() == before
    assert desk.run(changed, "--replace") == 0
    assert "1 new, 1 updated, 0 unchanged" in capsys.readouterr().out
    assert [bar.volume for bar in desk.bars()] == [55, 6]


def test_D02_contradiction_within_the_file_is_refused_even_with_replace(desk: Desk) -> None:
    assert desk.run(HEADER + DAY_1 + DAY_1.replace(",5", ",6"), "--replace") == 1


def test_D02_dry_run_reports_and_writes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + DAY_1, "--dry-run") == 0
    assert "dry run, nothing written" in capsys.readouterr().out
    assert not desk.database.parent.exists()
    assert desk.run(HEADER + DAY_1) == 0
    assert desk.run(HEADER + DAY_1 + DAY_2, "--dry-run") == 0
    assert "1 new, 0 updated, 1 unchanged" in capsys.readouterr().out
    assert len(desk.bars()) == 1
    assert desk.run(HEADER + DAY_1.replace(",5", ",6"), "--dry-run") == 1


def test_D02_importing_twice_changes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + DAY_2 + DAY_1 + DAY_2.replace("11", "11.00")) == 0
    assert "2 new, 0 updated, 0 unchanged, 1 repeated" in capsys.readouterr().out
    before = desk.database.read_bytes()
    assert desk.run(HEADER + DAY_1 + DAY_2) == 0
    assert "0 new, 0 updated, 2 unchanged, 0 repeated" in capsys.readouterr().out
    assert desk.database.read_bytes() == before


FORMS: dict[str, Callable[[str], str | bytes]] = {
    "comma": lambda text: text,
    "semicolon": lambda text: text.replace(",", ";"),
    "tab": lambda text: text.replace(",", "\t"),
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "quoted": lambda text: "\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in text.splitlines()),
    "capitals": lambda text: text.replace("time,open,high,low,close,volume", "Date,OPEN,High,Low,Close,Vol"),
    "letters": lambda text: text.replace("time,open,high,low,close,volume", "timestamp,o,h,l,c,v"),
    "spaces": lambda text: text.replace(",", " , "),
    "trailing comma": lambda text: "\n".join([HEADER.strip(), *(row + "," for row in text.splitlines()[1:])]),
    "brackets": lambda text: text.replace(
        "time,open,high,low,close,volume", "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_D02_csv_in_its_many_forms(desk: Desk, form: str) -> None:
    assert desk.with_store().run(FORMS[form](HEADER + DAY_1 + DAY_2)) == 0
    assert desk.bars() == [
        ScaledBar(1704153600000, 0, 10, 12, 9, 11, 0, 5),
        ScaledBar(1704240000000, 0, 11, 13, 10, 12, 0, 6),
    ]


def test_D02_date_and_time_columns_belong_together(desk: Desk) -> None:
    content = "Date,Time,Open,High,Low,Close\n2024-01-02,09:30,1,2,1,2\n"
    assert desk.run(content, "--timezone", "America/New_York", resolution="60") == 0
    assert [bar.time for bar in desk.bars(resolution="60")] == [1704205800000]


def test_D02_volume_is_optional(desk: Desk) -> None:
    assert desk.run("time,open,high,low,close\n2024-01-02,1,1,1,1\n") == 0
    assert desk.bars()[0].volume == 0


def test_D02_columns_can_be_named(desk: Desk) -> None:
    content = "When,A,B,C,D,Close,E\n2024-01-02,1,4,1,3,9,0.25\n"
    assert desk.run(content, "--columns", "time=when,open=A,high=B,low=C,close=D,volume=E") == 0
    assert desk.bars() == [ScaledBar(1704153600000, 0, 1, 4, 1, 3, 2, 25)]


def test_D02_named_column_that_is_not_there_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + DAY_1, "--columns", "open=First") == 1
    assert "file.csv:1: no column 'First', which --columns names for open" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "open", "open=", "=x", "open=a,open=b", "volume=a,,"])
def test_D02_malformed_column_mapping_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not FIELD=NAME"):
        parse_overrides(text)


def test_D02_new_symbol_is_added_with_what_its_bars_tell(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + "2024-01-02,1.5,2.125,1,2,0.5\n", symbol="nyse:abc") == 0
    assert "ABC is not in the catalogue; it is kept with type stock, exchange NYSE" in capsys.readouterr().out
    assert desk.run(HEADER + "2024-01-03,1.5,2.1255,1,2,5\n", symbol="ABC") == 0
    (added,) = desk.added()
    assert (added.name, added.exchange, added.type, added.session) == ("ABC", "NYSE", "stock", "24x7")
    assert (added.pricescale, added.minmov, added.volume_precision) == (10_000, 1, 1)


def test_D02_catalogued_symbol_is_not_added(desk: Desk) -> None:
    assert desk.run(HEADER + "2024-01-02,1.12345,1.12345,1.12345,1.12345,0\n") == 0
    assert desk.added() == []


def test_D02_json_report_is_one_object(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(HEADER + DAY_1, "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["status"], done["rows"], done["inserted"], done["first_time"]) == ("imported", 1, 1, 1704153600000)
    assert desk.run(HEADER + "x,1,1,1,1,1\n", "--json") == 1
    refused = json.loads(capsys.readouterr().out)
    assert (refused["status"], refused["problem_count"], refused["problems"][0]["line"]) == ("refused", 1, 2)


def test_D02_store_file_is_private(desk: Desk) -> None:
    assert desk.run(HEADER + DAY_1) == 0
    assert stat.S_IMODE(desk.database.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.database.parent.stat().st_mode) == 0o700


def test_D02_shipped_example_imports(desk: Desk) -> None:
    example = Path(__file__).parents[3] / "docs" / "examples" / "AAPL-1D.csv"
    assert desk.run(example.read_bytes()) == 0
    bars = desk.bars()
    days = [date(1970, 1, 1) + timedelta(milliseconds=bar.time) for bar in bars]
    assert len(bars) == 60
    assert {day.year for day in days} == {2024}
    assert all(day.weekday() < 5 for day in days)
    assert all(bar.price_scale <= 2 for bar in bars)


# Seven digits, so that the volume of a month at the finest scale keeps to the 18 that can be stored.
PRICE = st.integers(1, 10**7)
ROWS = st.dictionaries(
    st.integers(0, 400), st.tuples(PRICE, PRICE, PRICE, PRICE, PRICE, st.integers(0, 9)), max_size=15
)


def _csv_rows(rows: dict[int, tuple[int, int, int, int, int, int]]) -> list[str]:
    lines = []
    for day, (one, two, three, four, volume, scale) in rows.items():
        low, *middle, high = sorted((one, two, three, four))
        numbers = (middle[0], high, low, middle[1], volume)
        text = ",".join(f"{number // 10**scale}.{number % 10**scale:0{max(scale, 1)}d}" for number in numbers)
        lines.append(f"{date(2020, 1, 1) + timedelta(days=day)},{text}\n")
    return lines


def _run_all(desk: Desk, batches: Sequence[list[str]]) -> list[ScaledBar]:
    for batch in batches:
        assert desk.run(HEADER + "".join(batch)) == 0
    return desk.bars()


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS.filter(bool), seed=st.integers(0, 9999), cut=st.integers(0, 15))
def test_D02_import_is_idempotent_and_free_of_order(
    rows: dict[int, tuple[int, int, int, int, int, int]],
    seed: int,
    cut: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lines = _csv_rows(rows)
    shuffled = random.Random(seed).sample(lines, len(lines))
    once = _run_all(Desk(tmp_path_factory.mktemp("once")).with_store(), [lines])
    parts = [part for part in (shuffled[:cut], shuffled[cut:], shuffled + lines) if part]
    assert _run_all(Desk(tmp_path_factory.mktemp("parts")).with_store(), parts) == once
    assert [bar.time for bar in once] == sorted(bar.time for bar in once)
    assert len(once) == len(rows)
