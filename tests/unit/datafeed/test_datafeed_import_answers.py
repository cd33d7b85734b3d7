"""What the import command says of sources, failures and times that do not fit together."""

import json
import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.import_counter import Counter

from trading_api.modules.datafeed import commands
from trading_api.modules.datafeed.bar_time import parse_time
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.importing.spacing import SHORTEST_DAY_MS, Spacing
from trading_api.modules.datafeed.importing.written_times import form_of

DAILY = "these look like daily bars; is --resolution 60 right?"


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Counter:
    return Counter(tmp_path, capsys)


def test_D02_source_that_is_no_regular_file_is_named_for_what_it_is(counter: Counter) -> None:
    pipe = counter.folder / "pipe"
    os.mkfifo(pipe)
    for source, message in (
        (str(counter.folder), "is a directory"),
        (os.devnull, "is not a regular file"),
        (str(pipe), "is not a regular file"),
        ("-", "standard input is not supported, give a file"),
        (str(counter.folder / "none.csv"), "no such file"),
        ("n" * 5000, "cannot be read: File name too long"),
    ):
        answer = counter.ask(source)
        assert answer.code == 2
        assert message in answer.err
        assert message in str(counter.ask(source, "--json").failure["error"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--exchange", "NYSE"), "AAPL is known with exchange 'NASDAQ', not 'NYSE'"),
        (("--store", "mysql://host/db"), "scheme 'mysql' is not supported"),
    ],
)
def test_D02_wrong_usage_with_json_is_one_object(counter: Counter, options: tuple[str, ...], message: str) -> None:
    answer = counter.hand_in("2024-01-02", options=("--json", *options))
    assert answer.code == 2
    assert message in str(answer.failure["error"])


@pytest.mark.parametrize(
    ("error", "message"),
    [(StoreError("the disk is full"), "the disk is full; nothing was written"), (KeyboardInterrupt(), "interrupted")],
)
def test_D02_failed_import_with_json_is_one_object(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, error: BaseException, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(commands, "import_bars", fail)
    answer = counter.hand_in("2024-01-02", options=("--json",))
    assert answer.code == 1
    assert str(answer.failure["error"]).startswith(message)


def test_D02_refusal_with_json_says_so_and_counts_every_bad_cell(counter: Counter) -> None:
    answer = counter.hand_in_rows("2024-01-02,x,y,z,11,5", options=("--json",))
    assert answer.code == 1
    assert answer.failure["error"] == "refused: 3 problems in 1 row; nothing was written"
    assert answer.failure["problem_count"] == 3
    counted = counter.hand_in_rows("2024-01-02,x,y,z,11,5", "2024-01-03,1,1,1,1,1")
    assert counted.err.endswith("refused: 3 problems in 2 rows; nothing was written\n")
    assert counter.hand_in("x").err.endswith("refused: 1 problem in 1 row; nothing was written\n")


@pytest.mark.parametrize(
    ("resolution", "times", "message"),
    [
        ("1D", ("2024-01-02 09:30", "2024-01-02 09:35"), "bar of 2024-01-02; these look like intraday bars"),
        ("1W", ("2024-01-02 09:30", "2024-01-02 09:35"), "bar of 2024-01-01; these look like intraday bars"),
        ("1W", ("2024-01-02", "2024-01-03"), "bar of 2024-01-01; these look like bars finer than 1W"),
        ("1M", ("2024-01-02", "2024-01-09"), "bar of 2024-01-01; these look like bars finer than 1M"),
    ],
)
def test_D02_second_row_of_a_bar_is_refused_by_line(
    counter: Counter, resolution: str, times: tuple[str, str], message: str
) -> None:
    answer = counter.hand_in(*times, times[1], resolution=resolution)
    assert answer.code == 1
    for line in (3, 4):
        assert f"file.csv:{line}: a second row for the {message} (line 2 says {times[0]}, this one" in answer.err
    assert not counter.database.exists()


@pytest.mark.parametrize("resolution", ["1D", "1W", "1M"])
def test_D02_row_repeated_with_its_written_time_is_merged(counter: Counter, resolution: str) -> None:
    answer = counter.hand_in(*["2024-01-02 09:30"] * 2, resolution=resolution)
    assert answer.code == 0
    assert "1 repeated" in answer.out


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (("0", "1704153600", "1704240000000"), "time 1704240000000 is in milliseconds, but line 3 is in seconds"),
        (("0", "1704153600000", "1704240000"), "time 1704240000 is in seconds, but line 3 is in milliseconds"),
    ],
)
@pytest.mark.parametrize("resolution", ["60", "1D"])
def test_D02_seconds_and_milliseconds_in_one_file_are_refused_by_line(
    counter: Counter, times: tuple[str, ...], message: str, resolution: str
) -> None:
    answer = counter.hand_in(*times, resolution=resolution)
    assert answer.code == 1
    assert f"file.csv:4: {message}" in answer.err
    assert "refused: 1 problem in 3 rows" in answer.err


EPOCH, ISO = "1704412800", "2024-01-05"


@pytest.mark.parametrize("resolution", ["60", "1D"])
@pytest.mark.parametrize(
    ("times", "message"),
    [
        (("2024-01-02", EPOCH), f"time {EPOCH} is an epoch, but line 2 is an ISO time; write all in one form"),
        ((EPOCH, ISO), f"time {ISO} is an ISO time, but line 2 is an epoch; write all in one form"),
        (("20240102", f"{EPOCH}000"), f"time {EPOCH}000 is an epoch, but line 2 is an ISO time"),
        (("2024-01-02T00:00Z", EPOCH), f"time {EPOCH} is an epoch, but line 2 is an ISO time"),
        (("2024-01-02", "0"), "time 0 is an epoch, but line 2 is an ISO time"),
        (("0", ISO), f"time {ISO} is an ISO time, but line 2 is an epoch"),
    ],
)
def test_D02_iso_times_and_epochs_in_one_file_are_refused_by_line(
    counter: Counter, times: tuple[str, str], message: str, resolution: str
) -> None:
    answer = counter.hand_in(*times, resolution=resolution, symbol="BTCUSD")
    assert answer.code == 1
    assert f"file.csv:3: {message}" in answer.err
    assert "refused: 1 problem in 2 rows" in answer.err
    local = counter.hand_in(*times, resolution=resolution, symbol="BTCUSD", options=("--timezone", "America/New_York"))
    assert f"file.csv:3: {message}" in local.err


def test_D02_one_epoch_among_many_dates_is_found_by_line(counter: Counter) -> None:
    answer = counter.hand_in("2024-01-02", EPOCH, "2024-01-03", "2024-01-04", resolution="60", symbol="BTCUSD")
    assert [line for line in answer.err.splitlines() if ":3: " in line]
    assert "refused: 1 problem in 4 rows" in answer.err


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1704153600", "seconds"),
        ("-1704153600.5", "seconds"),
        ("99999999", "seconds"),
        ("1704153600000", "milliseconds"),
        ("0", "zero"),
        ("-0.0", "zero"),
        ("20240102", "naive"),
        ("2024.01.02", "naive"),
        ("2024-01-02", "naive"),
        ("2024-01-02 09:30", "naive"),
        ("2024-01-02T09:30:00.000Z", "aware"),
        ("2024-01-02 09:30-05", "aware"),
        ("20240102T0930-0500", "aware"),
        ("2024-W01-2", "naive"),
        ("2024-W01-2T09:30", "naive"),
        ("2024-W01-2T09:30Z", "aware"),
    ],
)
def test_D02_form_of_a_written_time(text: str, form: str | None) -> None:
    assert form_of(text) == form
    if form in {"naive", "aware"}:
        assert (parse_time(text).tzinfo is not None) == (form == "aware")


@pytest.mark.parametrize(
    "times",
    [
        ("2024-01-02", "2024-01-03"),
        ("2024-01-02", "2024-01-03", "2024-01-03"),
        ("2024-01-02", "2024-01-03", "2024-01-05"),
        ("2024-01-05", "2024-01-02", "2024-01-03"),
        ("2024-03-09T05:00Z", "2024-03-10T05:00Z", "2024-03-11T04:00Z"),
    ],
)
def test_D02_daily_bars_at_an_intraday_resolution_are_imported_with_a_warning(
    counter: Counter, times: tuple[str, ...]
) -> None:
    answer = counter.hand_in(*times, options=("--json",), resolution="60", symbol="BTCUSD")
    assert answer.code == 0
    assert DAILY in answer.err
    assert (answer.report["warnings"], answer.report["inserted"]) == ([DAILY], len(set(times)))


@pytest.mark.parametrize(
    ("resolution", "times"),
    [
        ("60", ("2024-01-02",)),
        ("60", ("2024-01-02", "2024-01-02")),
        ("60", ("2024-01-02", "2024-01-05", "2024-01-04", "2024-01-02 01:00")),
        ("1D", ("2024-01-02", "2024-01-03", "2024-01-04")),
    ],
)
def test_D02_no_warning_where_the_resolution_may_be_right(
    counter: Counter, resolution: str, times: tuple[str, ...]
) -> None:
    answer = counter.hand_in(*times, options=("--json",), resolution=resolution, symbol="BTCUSD")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out)["warnings"] == []


@pytest.mark.parametrize(("good", "code"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_D02_a_reader_that_leaves_is_no_failure_of_the_import(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, good: bool, code: int, options: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as closed, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", closed)
        answer = counter.hand_in("2024-01-02" if good else "yesterday", options=options)
    assert answer.code == code
    assert "Traceback" not in answer.err
    assert len(counter.bars()) == good


@given(st.lists(st.integers(-400, 400).map(lambda hours: hours * 3_600_000), max_size=8))
def test_D02_spacing_is_that_of_the_bars_in_order_of_time(times: list[int]) -> None:
    spacing = Spacing()
    for time in times:
        spacing.note(time)
    ordered = sorted(set(times))
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    assert spacing.daily == (len(ordered) >= 2 and min(gaps) >= SHORTEST_DAY_MS)
