"""Whole columns are read as the same bars as row by row, or not at all."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading_api.modules.datafeed.bar_time import BarClock
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.decimals import Scaled, align, parse_scaled
from trading_api.modules.datafeed.importing import bar_reader
from trading_api.modules.datafeed.importing.bar_reader import BarReader
from trading_api.modules.datafeed.importing.columns import Columns, find_columns
from trading_api.modules.datafeed.importing.csv_source import CsvSource, QuotedBatch
from trading_api.modules.datafeed.importing.problems import ProblemLog
from trading_api.modules.datafeed.importing.row import RowReader
from trading_api.modules.datafeed.importing.steady_file import SteadyFile
from trading_api.modules.datafeed.importing.whole_numbers import Unusual, read_columns, shortened
from trading_api.modules.datafeed.importing.whole_times import WholeTimes
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.session import parse_session

COLUMNS = Columns(time=(0,), prices=(1, 2, 3, 4), volume=5)
ALWAYS = parse_session("24x7")
# Half an hour, a minute past midnight, a day that was skipped, at midnight, and none at all.
ZONES = ("America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Asia/Beirut", "Etc/UTC")


def clock(zone: str = "Etc/UTC", resolution: str = "1") -> BarClock:
    return BarClock(Resolution(resolution), ZoneInfo(zone), ALWAYS, ZoneInfo("Etc/UTC"))


def reader(clock: BarClock, problems: ProblemLog | None = None) -> BarReader:
    return BarReader(COLUMNS, clock, width=6, counted="line", problems=problems or ProblemLog(5))


PLAIN = st.from_regex(r"[0-9]{1,20}(\.[0-9]{0,20})?", fullmatch=True)
ODD = st.sampled_from(["", ".", ".5", "5.", "1.2.3", "-1", "+1", "1e3", "nan", "0x1", " 1", "1\n2", "00001", "0" * 50])


@given(st.lists(st.one_of(PLAIN, PLAIN, PLAIN, ODD), min_size=1, max_size=6))
@example(["0.00", "0", "0.0"])
@example(["10", "100.50", "1000"])
@example(["999999999999999999", "0.000000000000000001"])
def test_D02_column_of_numbers_is_read_as_each_number_is(texts: list[str]) -> None:
    try:
        scales, (coefficients,) = shortened(read_columns([texts]))
    except Unusual:
        return
    assert [Scaled(*pair) for pair in zip(coefficients, scales, strict=True)] == [parse_scaled(text) for text in texts]


# Many leading zeros are unusual: such a row is read alone.
PRICE = st.from_regex(r"(0|[1-9][0-9]{0,7})(\.[0-9]{1,6})?", fullmatch=True)


@given(st.lists(st.tuples(*[PRICE] * 4), min_size=1, max_size=6))
def test_D02_prices_of_a_row_share_the_fewest_decimals(rows: list[tuple[str, ...]]) -> None:
    scales, columns = shortened(read_columns(list(zip(*rows, strict=True))))
    found = [(scale, list(row)) for scale, row in zip(scales, zip(*columns, strict=True), strict=True)]
    assert found == [align([parse_scaled(text) for text in row]) for row in rows]


@pytest.mark.parametrize("texts", [["1", "2.5", "30"], ["1.25"] * 5, ["184.05", "0.05"], ["5."], ["1.5", "12.125"]])
def test_D02_usual_numbers_are_read_in_columns(texts: list[str]) -> None:
    read_columns([texts])


SUFFIXES = st.sampled_from(["", "Z", "+00:00", "-05:00", "+05:30", "-0330", "+05:30:30", "+05:30:30.5"])
FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M:%S.000", "%Y.%m.%d %H%M", "%Y%m%d %H%M%S", "%Y%m%d")
START, END = (datetime.fromisoformat(text) for text in ("1985-01-01", "2030-01-01"))
MOMENTS = st.datetimes(START, END).map(lambda moment: moment.replace(second=0))


@st.composite
def written_times(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Times that lie near each other, many of them near a change of some clock."""
    zone = draw(st.sampled_from(ZONES))
    changes = _changes(zone)
    near = draw(st.one_of(MOMENTS, st.sampled_from(changes)) if changes else MOMENTS)
    form = draw(st.sampled_from(FORMATS)) + draw(SUFFIXES)
    minutes = draw(st.lists(st.integers(-3000, 3000), min_size=1, max_size=5))
    return zone, [(near + timedelta(minutes=count)).strftime(form) for count in minutes]


@lru_cache
def _changes(zone: str) -> list[datetime]:
    """Local hours around which the clock of a zone is changed."""
    years = [datetime.fromisoformat(text) for text in ("1987-01-01", "2011-01-01")]
    hours = [year + timedelta(hours=count) for year in years for count in range(0, 24 * 365, 6)]
    offsets = [hour.replace(tzinfo=ZoneInfo(zone)).utcoffset() for hour in hours]
    return [hour for hour, now, then in zip(hours[1:], offsets[1:], offsets, strict=False) if now != then]


@given(written_times())
def test_D02_column_of_times_is_read_as_each_time_is(case: tuple[str, list[str]]) -> None:
    zone, texts = case
    try:
        times, form = WholeTimes(ZoneInfo(zone), 1).read(texts)
    except Unusual:
        return
    assert times == [clock(zone).bar_time(text) for text in texts]
    assert form == ("naive" if len({*"Z+"} & {*texts[0]}) == 0 and "-" not in texts[0][10:] else "aware")


@given(st.lists(st.integers(0, 10**14), min_size=1, max_size=4), st.sampled_from(["1", "5", "60"]))
@example([1_704_153_600], "1")
@example([1_704_153_600_000], "60")
def test_D02_column_of_epochs_is_read_as_each_epoch_is(values: list[int], resolution: str) -> None:
    texts = [str(value) for value in values]
    try:
        times, _ = WholeTimes(ZoneInfo("Etc/UTC"), int(resolution)).read(texts)
    except Unusual:
        return
    assert times == [clock(resolution=resolution).bar_time(text) for text in texts]


@pytest.mark.parametrize("zone", ZONES)
def test_D02_every_minute_around_each_clock_change_is_read_right_or_left_to_the_rows(zone: str) -> None:
    whole = 0
    for change in _changes(zone):
        for count in range(-36 * 60, 36 * 60, 30):
            text = f"{change + timedelta(minutes=count):%Y-%m-%d %H:%M}"
            try:
                (time,), _ = WholeTimes(ZoneInfo(zone), 1).read([text])
            except Unusual:
                continue
            assert time == clock(zone).bar_time(text), text
            whole += 1
    assert whole or not _changes(zone)


CELLS = st.sampled_from(["1", "2", "1\n2", "1.5", "10.25", "2.125", "0", "x", "-1", "1e1", ""])
TIMES = st.sampled_from(
    ["2024-01-02 09:30", "2024-01-02 09:31", "1704153600", "1704153600000", "2024-01-02T09:30Z", "?"]
)


@given(st.lists(st.tuples(TIMES, CELLS, CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4))
def test_D02_batch_is_read_as_its_rows_are(rows: list[tuple[str, ...]]) -> None:
    together, alone = ProblemLog(99), ProblemLog(99)
    one = reader(clock(), together)
    found = one.read(QuotedBatch(range(2, 2 + len(rows)), rows, 6))
    single = reader(clock(), alone)
    expected = [
        bar
        for number, row in enumerate(rows, 2)
        # A line more than the header has no whole columns.
        for bar in single.read(QuotedBatch([number], [[*row, ""]], 6))
    ]
    assert (found, one.rows, together) == (expected, single.rows, alone)


USUAL = {
    "iso": ("2024-01-02 09:30:00,10,12.5,9,11,5", "2024-01-02 09:31:00,10,12.25,9,11,5.125"),
    "date and time apart": ("2024-01-02,09:30,10,12,9,11,5", "2024-01-02,09:31,10,12,9,11,5"),
    "quoted": ('"2024-01-02 09:30:00","10","12","9","11","5"',),
    "offsets": ("2024-03-10T01:59:00-05:00,10,12,9,11,5", "2024-03-10T03:00:00-04:00,10,12,9,11,5"),
    "epoch": ("1704153600,10,12,9,11,5", "1704153660,10,12,9,11,5"),
    "compact": ("20240102 093000,10,12,9,11,5",),
    "trailing comma": ("2024-01-02 09:30:00,10,12,9,11,5,",),
    "carriage return": ("2024-01-02 09:30:00,10,12,9,11,5\r", "2024-01-02 09:31:00,10,12,9,11,5\r"),
}


@pytest.mark.parametrize("form", USUAL)
def test_D02_usual_files_take_the_quick_way(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file.csv"
    header = "date,time,o,h,l,c,v" if form == "date and time apart" else "time,o,h,l,c,v"
    file.write_text("\n".join([header, *USUAL[form]]), newline="")
    expected = _bars(file)
    monkeypatch.setattr(bar_reader.BarReader, "_by_row", _nothing)
    assert _bars(file) == expected
    assert len(expected) == len(USUAL[form])


def _nothing(*_: object) -> list[object]:
    return []


def _bars(file: Path) -> list[ScaledBar]:
    with CsvSource(SteadyFile(file)) as source:
        time: Sequence[int] = (0, 1) if len(source.header) == 7 else (0,)
        first = len(time)
        columns = Columns(tuple(time), (first, first + 1, first + 2, first + 3), first + 4)
        one = BarReader(columns, clock(), width=len(source.header), counted="line", problems=ProblemLog(5))
        return [bar for batch in source.batches() for _, bar in one.read(batch)]


@pytest.mark.parametrize(
    ("header", "time"), [("t,o,h,l,c,v", 0), ("V,C,L,H,O,T", 5), ("t,o,h,l,c,v,time", 6), ("Stamp,t,o,h,l,c", 1)]
)
def test_D02_columns_may_have_one_letter(header: str, time: int) -> None:
    names = header.lower().split(",")
    found = find_columns(header.split(","), {})
    assert (found.time, found.prices) == ((time,), tuple(names.index(name) for name in "ohlc"))
    assert found.volume == (names.index("v") if "v" in names else None)


def test_D02_row_reader_knows_more_than_columns_do() -> None:
    cells = ["2024-01-02T09:30Z", "+10", "12e0", " 9 ", ".5e1", "5"]
    row = RowReader(COLUMNS, clock(), 6)
    with pytest.raises(ValueError, match="close 5 is outside"):
        row.read(cells)
    assert row.read([*cells[:4], "1.1e1", "5"]) == ScaledBar(
        int(datetime(2024, 1, 2, 9, 30, tzinfo=UTC).timestamp() * 1000), 0, 10, 12, 9, 11, 0, 5
    )
