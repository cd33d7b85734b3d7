"""CSV of every kind of wrong: what is said of it, where, and that nothing is stored."""

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import BinaryIO

import pytest
from support.import_counter import HEADER, Counter

from trading_api.modules.datafeed.importing import steady_file, text_lines
from trading_api.modules.datafeed.importing.csv_source import CsvSource
from trading_api.modules.datafeed.importing.hints import number_hint, time_hint
from trading_api.modules.datafeed.importing.problems import FileError
from trading_api.modules.datafeed.importing.steady_file import SteadyFile
from trading_api.modules.datafeed.importing.text_lines import BLOCK, MAX_LINE, read_lines

GOOD = "2024-01-02 15:30,10,12,9,11,5\n"


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Counter:
    return Counter(tmp_path, capsys)


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("time;open;high;low;close\n2024-01-02;1,5;2;1;2\n", ":2", "open: '1,5' is not a number"),
        ("time;open;high;low;close\n2024-01-02;1,5;2;1;2\n", ":2", "write a decimal point instead of the comma"),
        ('time,open,high,low,close\n2024-01-02,"1,234.5",2,1,2\n', ":2", "without thousands separators"),
        ("time,open,high,low,close\n2024-01-02,$15,20,10,12\n", ":2", "write the number alone"),
        ("time,open,high,low,close\n01/02/2024,1,2,1,2\n", ":2", "day/month or month/day; write the year first"),
        ("time,open,high,low,close\n2024-1-2,1,2,1,2\n", ":2", "write two digits for month and day"),
        ("time,open,high,low,close\n2024-01-02 03:30 PM,1,2,1,2\n", ":2", "write hours from 0 to 23"),
        ("time,open,high,low,close\n1704153600000000000,1,2,1,2\n", ":2", "it may be micro- or nanoseconds"),
        ("time~open~high~low~close\n2024-01-02~1~2~1~2\n", ":1", "separated by comma, semicolon, tab or |"),
        ("2024-01-02,1,2,1,2,5\n", ":1", "the first line must name the columns"),
        ("\n\r\n;;\ntime,open,high,low\n" + GOOD, ":4", "no column for close; found: time, open, high, low; name it"),
        ("\n\n" + HEADER + GOOD + "x,10,12,9,11,5\n", ":5", "time 'x' is not an ISO date"),
        ("\ntime,open\rhigh\n", ":2", "not valid CSV"),
        ("\n \n,,,\n", "", "the file holds nothing but blank lines"),
        (HEADER + GOOD + "2024-01-02 15:31,10,12\n", ":3", "3 cells, but the header has 6"),
        (HEADER + GOOD + "2024-01-02 15:31,10,12,9,11,5,7\n", ":3", "7 cells, but the header has 6"),
        (HEADER + GOOD + "\n\n2024-01-02 15:31,10,12,9,11,x\n", ":5", "volume: 'x' is not a number"),
        (HEADER + GOOD + '"2024-01-02 15:31\n\n",10,12,9,11,x\n' + "x\n", ":3", "volume: 'x' is not a number"),
        (HEADER + GOOD + '"2024-01-02 15:31\n\n",10,12,9,11,5\n' + "x\n", ":6", "1 cells, but the header has 6"),
        (HEADER + GOOD + "2024-01-02 15:31+00:00,10,12,9,11,5\n", ":3", "with a UTC offset, but line 2 is without"),
        (HEADER + "20240102,10,12,9,11,5\n2024-01-03T00:00Z,10,12,9,11,5\n", ":3", "give all times an offset, or none"),
        (HEADER + GOOD + "2024-01-02 15:30:30,10,12,9,11,5\n", ":3", "is off the grid of resolution 1"),
        (HEADER + "2024-03-10 02:30,10,12,9,11,5\n", ":2", "does not exist in America/New_York"),
        (HEADER + "2024-11-03 01:30,10,12,9,11,5\n", ":2", "happens twice in America/New_York"),
        ("time,open\rhigh\n", ":1", "not valid CSV: a carriage return stands alone within the line"),
        (HEADER + GOOD + "2024-01-02 15:31,10,\r12,9,11,5\n", ":3", "save the file with one kind of line ends"),
        ((HEADER + GOOD + GOOD.replace("10", "x")).replace("\n", "\r"), ":3", "open: 'x' is not a number"),
        (HEADER + GOOD + '2024-01-02 15:31,"10"1,12,9,11,5\n', ":3", "not valid CSV"),
        (HEADER + GOOD + '"2024-01-02 15:31,10,12,9,11,5\n' * 9, ":3", "not valid CSV"),
        (HEADER.encode() + GOOD.encode() + b"2024,\xe9\n", ":3", "not UTF-8 text (byte 0xe9 at position 5)"),
        (HEADER.encode() + GOOD.encode() + b"2024\0\n", ":3", "binary data or UTF-16, not CSV text"),
        (b"\x89PNG\r\n\x1a\n\0\0", ":1", "not UTF-8 text"),
        ((HEADER + GOOD).encode("utf-16"), ":1", "binary data or UTF-16"),
        ((HEADER + GOOD).encode("utf-16-be"), ":1", "binary data or UTF-16"),
        (HEADER + GOOD + "1" * (MAX_LINE + 1), ":3", "the line is longer than 65536 characters"),
        (HEADER + GOOD + "é" * (BLOCK * 2), ":3", "the line is longer than 65536 characters"),
        (HEADER + GOOD + '"' + ("x" * 60_000 + "\n") * 9, ":3", "not valid CSV: field larger than field limit"),
        (gzip.compress((HEADER + GOOD).encode(), mtime=0), "", "this is gzip-compressed; decompress it first"),
        (b"PK\x03\x04rest", "", "this is a ZIP archive or an Excel workbook; export the sheet as CSV in UTF-8"),
        (b"ARROW1\0\0", "", "this is an Arrow (Feather) file; save it as Parquet or CSV"),
    ],
)
def test_D02_wrong_file_is_refused_with_place_and_advice(
    counter: Counter, content: str | bytes, place: str, message: str
) -> None:
    answer = counter.hand_in_file(content, options=("--timezone", "America/New_York"), resolution="1")
    assert answer.code == 1
    assert any(line.startswith(f"{counter.file}{place}: ") and message in line for line in answer.err.splitlines())
    assert answer.err.endswith("; nothing was written\n")
    assert not counter.database.exists()


@pytest.mark.parametrize("text", ["1,5", "0,25", "-1,75", ",5"])
def test_D02_decimal_comma_is_named(text: str) -> None:
    assert number_hint(text) == "write a decimal point instead of the comma"


@pytest.mark.parametrize("text", ["", "x", "nan", "1.2.3", "2024-01-02"])
def test_D02_no_advice_where_nobody_knows(text: str) -> None:
    assert (number_hint(text), time_hint(text)) == ("", "")


def test_D02_offsets_that_differ_are_no_problem(counter: Counter) -> None:
    rows = (
        "2024-03-10T01:59:00-05:00,10,12,9,11,5\n2024-03-10T03:00:00-04:00,10,12,9,11,5\n2024-03-10T07:01Z,1,2,1,2,0\n"
    )
    assert counter.hand_in_file(HEADER + rows, resolution="1", symbol="BTCUSD").code == 0
    times = [bar.time for bar in counter.bars("BTCUSD", "1")]
    assert [later - times[0] for later in times] == [0, 60_000, 120_000]


def test_D02_one_bad_row_in_many_good_ones_is_found_by_line(counter: Counter) -> None:
    start = datetime(2024, 1, 2, tzinfo=UTC)
    lines = [f"{start + timedelta(minutes=n):%Y-%m-%d %H:%M},10,12,9,11,5\n" for n in range(9_000)]
    lines[7_654] = lines[7_654].replace("12,9", "9,12")
    answer = counter.hand_in_file(HEADER + "".join(lines), resolution="1", symbol="BTCUSD")
    assert f"{counter.file}:7656: high 9 is below low 12" in answer.err
    assert answer.err.endswith("refused: 1 problem in 9000 rows; nothing was written\n")


def test_D02_forms_may_not_change_from_one_block_of_rows_to_the_next(counter: Counter) -> None:
    naive = [f"2024-01-{2 + n // 1440:02d} {n // 60 % 24:02d}:{n % 60:02d},10,12,9,11,5\n" for n in range(9_000)]
    aware = "2024-02-02 00:00Z,10,12,9,11,5\n"
    answer = counter.hand_in_file(HEADER + "".join(naive) + aware, resolution="1", symbol="BTCUSD")
    assert f"{counter.file}:9002: time 2024-02-02 00:00Z is with a UTC offset, but line 2 is without" in answer.err


@pytest.mark.parametrize(("first", "second"), [("iso", "epoch"), ("epoch", "iso")])
def test_D02_iso_times_and_epochs_may_not_change_from_one_block_to_the_next(
    counter: Counter, first: str, second: str
) -> None:
    """Each block is of one form, so that whole columns are read."""
    start, size = datetime(2024, 1, 2, tzinfo=UTC), 9_000

    def lines(form: str, numbers: range) -> Iterator[str]:
        for moment in (start + timedelta(minutes=n) for n in numbers):
            yield f"{moment:%Y-%m-%d %H:%M}" if form == "iso" else str(int(moment.timestamp()))

    times = [*lines(first, range(size)), *lines(second, range(size, 2 * size))]
    answer = counter.hand_in(*times, resolution="1", symbol="BTCUSD")
    kinds = {"iso": "an ISO time", "epoch": "an epoch"}
    message = f"time {times[size]} is {kinds[second]}, but line 2 is {kinds[first]}; write all in one form"
    assert answer.err.splitlines()[0] == f"{counter.file}:{size + 2}: {message}"
    assert answer.err.endswith(f"refused: {size} problems in {2 * size} rows; nothing was written\n")


@pytest.mark.parametrize("blank", ["\n", "\r\n\n", " \n\t\n", ",,,,,\n", "\ufeff\n"])
def test_D02_blank_lines_before_the_header_do_no_harm(counter: Counter, blank: str) -> None:
    assert counter.hand_in_file(blank + HEADER + "2024-01-02,10,12,9,11,5\n").code == 0
    assert len(counter.bars()) == 1


@pytest.mark.parametrize("rows", [1, 20_000])
def test_D02_lines_that_end_with_a_carriage_return_alone_are_read(counter: Counter, rows: int) -> None:
    start = datetime(2024, 1, 2, tzinfo=UTC)
    times = [f"{start + timedelta(minutes=n):%Y-%m-%d %H:%M}" for n in range(rows)]
    content = HEADER + "".join(f"{time},10,12,9,11,5\n" for time in times)
    answer = counter.hand_in_file(content.replace("\n", "\r"), resolution="1", symbol="BTCUSD")
    assert answer.code == 0
    assert len(counter.bars("BTCUSD", "1")) == rows


@pytest.mark.parametrize("name", ["file.parquet", "file.PQ"])
def test_D02_name_of_a_parquet_file_does_not_make_one(counter: Counter, name: str) -> None:
    answer = counter.hand_in_file(b"\x01\x02\x03\x04", name=name)
    assert "but it is no Parquet file: it does not begin with PAR1" in answer.err
    assert counter.hand_in_file(HEADER + "2024-01-02,10,12,9,11,5\n", name=name).code == 0


class Slow:
    """A file of which each read gives so many bytes."""

    def __init__(self, content: bytes, size: int) -> None:
        self.content, self.size = content, size

    def read(self, _: int) -> bytes:
        piece, self.content = self.content[: self.size], self.content[self.size :]
        return piece


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("text", ["a\nbé\n\nc", "\ufeffa\n", "a", "\n", "é" * 40 + "\n" + "ü\r\n"])
def test_D02_lines_do_not_depend_on_how_the_file_is_cut(size: int, text: str) -> None:
    file: BinaryIO = Slow(text.encode(), size)  # type: ignore[assignment]
    found: list[str] = []
    for block in read_lines(file):
        assert block.first == len(found) + 1
        found += block.lines
    assert found == text.removeprefix("\ufeff").removesuffix("\n").split("\n")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_D02_carriage_returns_end_lines_where_nothing_else_does_however_the_file_is_cut(size: int) -> None:
    file: BinaryIO = Slow(b"a\rb\r\rc\r", size)  # type: ignore[assignment]
    assert [line for block in read_lines(file) for line in block.lines] == ["a", "b", "", "c"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
def test_D02_quoted_cell_may_cross_every_border(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file.csv"
    file.write_text('a,b\n"1\n2",3\n4,"5\n\n6"\n7,8\n')
    monkeypatch.setattr(text_lines, "BLOCK", size)
    with CsvSource(SteadyFile(file)) as source:
        rows = [row for batch in source.batches() for row in batch.rows()]
    assert rows == [(2, ["1\n2", "3"]), (4, ["4", "5\n\n6"]), (7, ["7", "8"])]


def test_D02_file_that_changes_while_it_is_read_is_refused(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count()

    def state(_: object) -> Iterator[int]:
        return iter((100, next(seconds)))

    monkeypatch.setattr(steady_file.SteadyFile, "_state", lambda file: tuple(state(file)))
    answer = counter.hand_in("2024-01-02")
    assert answer.code == 1
    assert f"{counter.file}: the file changed while it was read; import it when it is complete" in answer.err
    assert not counter.database.exists()


def test_D02_file_that_is_cut_off_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text(HEADER + GOOD * 10_000)
    with CsvSource(SteadyFile(file)) as source:
        batches = source.batches()
        next(batches)
        os.truncate(file, 200_000)
        with pytest.raises(FileError, match="the file changed while it was read"):
            list(batches)


def test_D02_file_that_cannot_be_read_is_refused(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    really = Path.open

    def open_others(path: Path, *arguments: str, **options: str) -> object:
        if path == counter.file:
            raise PermissionError(13, "Permission denied")
        return really(path, *arguments, **options)  # type: ignore[call-overload]

    counter.hand_in("2024-01-02", options=("--dry-run",))
    monkeypatch.setattr(Path, "open", open_others)
    answer = counter.ask(str(counter.file))
    assert answer.code == 1
    assert f"{counter.file}: cannot be read: Permission denied" in answer.err
