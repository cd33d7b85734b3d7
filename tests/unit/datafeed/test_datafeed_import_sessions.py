"""What an import says of rows that may be a mistake, and which facts a new symbol gets."""

from pathlib import Path

import pytest
from support.import_counter import HEADER, NUMBERS, Counter

from trading_api.modules.datafeed.calendars import calendar
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.importing.request import EXCHANGE_CALENDARS
from trading_api.modules.datafeed.importing.session_check import SessionCheck
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

YORK = ("--timezone", "America/New_York")
OUTSIDE = "outside the session 0930-1600 America/New_York of calendar XNYS"


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Counter:
    return Counter(tmp_path, capsys)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (("2024-01-02 09:29", "2024-01-02 09:30", "2024-01-02 15:59", "2024-01-02 16:00"), "2 rows are"),
        (("2024-01-06 10:00", "2024-01-05 12:00"), "1 row is"),
        # A holiday, and the afternoon of a half day.
        (("2024-07-04 12:00", "2024-07-03 12:59", "2024-07-03 13:00"), "2 rows are"),
        # Summer time: the session moves with the clock.
        (("2024-03-08 09:30", "2024-03-11 09:30", "2024-03-11 08:30"), "1 row is"),
    ],
)
def test_D02_rows_outside_the_session_are_imported_with_a_warning(
    counter: Counter, times: tuple[str, ...], told: str
) -> None:
    answer = counter.hand_in(*times, options=YORK, resolution="1")
    assert answer.code == 0
    (line,) = answer.err.splitlines()
    assert f"file.csv: {told} {OUTSIDE} (the first: " in line
    assert line.endswith("; they are stored and served at their own resolution, but not aggregated")
    assert len(counter.bars(resolution="1")) == len(times)


def test_D02_rows_within_the_session_need_no_words(counter: Counter) -> None:
    answer = counter.hand_in("2024-01-02 09:30", "2024-01-02 15:59", options=YORK, resolution="1")
    assert (answer.code, answer.err) == (0, "")


def test_D02_day_bars_on_days_without_a_session_are_imported_with_a_warning(counter: Counter) -> None:
    answer = counter.hand_in("2024-07-03", "2024-07-04", "2024-07-06")
    assert answer.code == 0
    assert "2 rows are on dates without the session 0930-1600 America/New_York of calendar XNYS" in answer.err
    assert "(the first: 2024-07-04)" in answer.err


@pytest.mark.parametrize(
    ("resolution", "time"), [("1", "1989-12-29 15:30"), ("1D", "1989-12-29"), ("1M", "1988-05-01")]
)
def test_D02_dates_that_the_calendar_does_not_know_are_imported_with_a_warning(
    counter: Counter, resolution: str, time: str
) -> None:
    answer = counter.hand_in(time, resolution=resolution)
    assert answer.code == 0
    assert "1 row is on dates that calendar XNYS does not know; the regular week holds there" in answer.err


@pytest.mark.parametrize(("resolution", "time"), [("1", "2199-06-03 15:30"), ("1D", "2199-06-03")])
def test_D02_rows_in_the_future_are_imported_with_a_warning(counter: Counter, resolution: str, time: str) -> None:
    answer = counter.hand_in(time, resolution=resolution, symbol="BTCUSD", options=("--json",))
    assert answer.code == 0
    assert answer.report["warnings"] == ["1 row is in the future"]


def check(resolution: str, now: int = 10**15, session: str = "0930-1600", code: str = "XNYS") -> SessionCheck:
    instrument = Instrument("X", "", "stock", "X", session, "America/New_York", 100, 1, 0, code)
    return SessionCheck(instrument, Schedule.of(instrument), Resolution(resolution), now)


def test_D02_today_has_begun_elsewhere() -> None:
    noon = 1_704_196_800_000
    day = check("1D", now=noon)
    day.note([noon - 12 * 3_600_000, noon + 12 * 3_600_000])
    assert day.future == 0
    day.note([noon + 36 * 3_600_000])
    assert day.future == 1
    minute = check("1", now=noon)
    minute.note([noon, noon + 60_000])
    assert minute.future == 1


@pytest.mark.parametrize(("session", "code"), [("0930-1600", "XNYS"), ("24x7", ""), ("1700-1600", "CMES")])
def test_D02_rows_are_counted_as_one_by_one_however_they_are_ordered(session: str, code: str) -> None:
    start = 1_719_950_400_000  # the evening before a half day and a holiday
    times = [start + 1_800_000 * number for number in range(400)]
    together = check("30", session=session, code=code)
    together.note([*times[::2], *reversed(times[1::2])])
    alone = check("30", session=session, code=code)
    for time in times:
        alone.note([time])
    windows = [alone.schedule.latest(time) for time in times]
    expected = sum(time >= window.end for time, window in zip(times, windows, strict=True))
    assert together.outside == alone.outside == expected
    assert bool(expected) == (session != "24x7")


def test_D02_new_symbol_gets_the_calendar_and_the_time_zone_of_its_exchange(counter: Counter) -> None:
    options = ("--exchange", "NYSE", "--session", "0930-1600", "--json")
    answer = counter.hand_in("2024-01-02T14:30Z", options=options, resolution="1", symbol="KO")
    assert answer.report["instrument"]["calendar"] == "XNYS"
    assert answer.report["instrument"]["timezone"] == "America/New_York"
    (added,) = counter.added()
    assert (added.calendar, added.timezone, answer.report["warnings"]) == ("XNYS", "America/New_York", [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ("", "Etc/UTC")),
        # Day and night: no holidays, wherever it is listed.
        (("--exchange", "NYSE"), ("", "Etc/UTC")),
        (("--exchange", "NOWHERE", "--session", "0900-1700"), ("", "Etc/UTC")),
        (("--session", "0900-1730", "--calendar", "XETR"), ("XETR", "Europe/Berlin")),
        (("--session", "0800-1630", "--exchange", "NYSE", "--calendar", ""), ("", "Etc/UTC")),
        (("--session", "0800-1630", "--exchange", "LSE", "--timezone", "Asia/Tokyo"), ("XLON", "Asia/Tokyo")),
        (("--session", "0930-1600", "--calendar", "NYSE"), ("XNYS", "America/New_York")),
    ],
)
def test_D02_calendar_of_a_new_symbol(counter: Counter, options: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert counter.with_store().hand_in("2024-01-02", options=options, symbol="NEW").code == 0
    (added,) = counter.added()
    assert (added.calendar, added.timezone) == expected


def test_D02_what_is_known_of_a_symbol_is_not_changed_by_an_import(counter: Counter) -> None:
    new = ("--session", "0930-1600", "--calendar", "XNYS")
    assert counter.hand_in("2024-01-02", options=new, symbol="NEW").code == 0
    assert counter.hand_in("2024-01-03", options=new, symbol="NEW").code == 0
    answer = counter.hand_in("2024-01-04", options=("--calendar", "XLON"), symbol="NEW")
    assert answer.code == 2
    assert "NEW is known with calendar 'XNYS', not 'XLON'" in answer.err
    assert len(counter.bars("NEW")) == 2


@pytest.mark.parametrize("code", sorted(set(EXCHANGE_CALENDARS.values())))
def test_D02_calendars_of_the_exchanges_are_there(code: str) -> None:
    assert calendar(code).code == code


def test_D02_facts_of_a_new_symbol_are_told(counter: Counter) -> None:
    content = HEADER + f"2024-01-02,{NUMBERS}\n"
    answer = counter.hand_in_file(content, options=("--session", "0930-1600", "--exchange", "NYSE"), symbol="NEW")
    assert "session 0930-1600 America/New_York, calendar XNYS" in answer.out


def test_D02_times_without_an_offset_stay_utc_whatever_the_exchange(counter: Counter) -> None:
    options = ("--exchange", "NYSE", "--session", "0930-1600")
    assert counter.hand_in("2024-01-02 14:30", options=options, resolution="1", symbol="KO").code == 0
    assert [bar.time for bar in counter.bars("KO", "1")] == [1_704_205_800_000]
