"""The committed tables of trading days, and exchange_calendars, from which they come."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from trading_api.codegen.calendar_source import FIRST, LAST, SourceCalendar, TradingDay, read_source, source_codes
from trading_api.codegen.calendars import TABLES, planned, table
from trading_api.modules.datafeed.calendars import Hours, calendar, calendar_codes
from trading_api.modules.datafeed.calendars.table import parse_table
from trading_api.modules.datafeed.calendars.trading_calendar import TradingCalendar
from trading_api.modules.datafeed.session import MONDAY_TO_FRIDAY

SMALL = [
    TradingDay(date(2024, 1, 1) + timedelta(days=number), 570, 960)
    for number in range(366)
    if number % 7 < 5 and number != 2
]


def trading_days(known: TradingCalendar) -> list[TradingDay]:
    days = (known.first + timedelta(days=number) for number in range((known.last - known.first).days + 1))
    return [TradingDay(day, *hours) for day in days if (hours := known.hours(day)) is not None]


def reread(days: list[TradingDay]) -> TradingCalendar:
    source = SourceCalendar("TEST", "Europe/Berlin", date(2024, 1, 1), date(2024, 12, 31), days)
    return parse_table("TEST", table(source).splitlines())


@pytest.mark.parametrize("code", ["XNYZ", "", "xnys", "../aliases", "aliases", "24/6"])
def test_D02_an_unknown_calendar_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="unknown calendar"):
        calendar(code)


def test_D02_a_near_miss_gets_a_hint() -> None:
    with pytest.raises(ValueError, match="did you mean XNYS"):
        calendar("xnys")
    with pytest.raises(ValueError, match="use a code of exchange_calendars"):
        calendar("nowhere at all")


def test_D02_a_date_that_a_calendar_does_not_know_is_one_of_a_regular_week() -> None:
    bombay = calendar("XBOM")
    assert (bombay.known(date(1997, 1, 1)), bombay.known(date(1996, 12, 31))) == (True, False)
    assert (bombay.known(date(2026, 12, 31)), bombay.known(date(2027, 1, 1))) == (True, False)
    assert bombay.hours(date(2027, 1, 26)) == bombay.regular, "a holiday that nobody has announced yet"
    assert bombay.hours(date(2027, 1, 24)) is None, "a Sunday"


# Every kind is among them: half days, a break at noon, a week from Sunday, no closing at all.
OFTEN = ("XNYS", "XLON", "XHKG", "CMES", "XTAE", "24/7", "24/5")


@pytest.mark.slow
@pytest.mark.parametrize(
    "code", [code if code in OFTEN else pytest.param(code, marks=pytest.mark.long) for code in source_codes()]
)
def test_D02_every_session_of_a_calendar_is_that_of_exchange_calendars(code: str) -> None:
    source, known = read_source(code), calendar(code)
    assert (known.zone.key, known.first, known.last) == (source.zone, source.first, source.last)
    assert FIRST <= source.first < source.last <= LAST
    assert trading_days(known) == source.days
    written = (TABLES / f"{code.replace('/', '-')}.txt").read_text(encoding="utf-8").split("\n", 1)[1]
    assert written == table(source), "run: make calendars"


def test_D02_every_calendar_has_a_table() -> None:
    assert calendar_codes() == tuple(sorted(source_codes()))
    assert calendar("NASDAQ") is calendar("NYSE") is calendar("XNYS")


def test_D02_what_exchange_calendars_loses_with_a_newer_pandas_is_there() -> None:
    """Its offsets are unknown to pandas 3.1: Saturdays vanish, and Orthodox and Jewish holidays raise an error."""
    assert calendar("XKRX").is_extra(date(1998, 12, 5)), "a Saturday in Seoul"
    assert not calendar("XKRX").is_open(date(1998, 12, 12))
    assert calendar("XKRX").hours(date(2035, 12, 28)) == Hours(540, 930), "only the first day of a year opens late"
    assert calendar("XBOM").is_extra(date(2024, 1, 20))
    assert not calendar("ASEX").is_open(date(2024, 5, 6)), "Orthodox Easter Monday"
    assert not calendar("XTAE").is_open(date(2024, 10, 3)), "Rosh Hashanah"
    assert calendar("XTAE").is_extra(date(2024, 10, 6)), "a Sunday, before 2026"


def test_D02_known_days_of_history() -> None:
    new_york = calendar("XNYS")
    attacks = [date(2001, 9, day) for day in range(10, 18)]
    assert [day.day for day in attacks if new_york.is_open(day)] == [10, 17]
    assert new_york.hours(date(2023, 11, 24)) == Hours(570, 780), "the day after Thanksgiving"
    assert new_york.hours(date(2023, 7, 4)) is None
    assert calendar("XTKS").hours(date(2024, 11, 1)) == Hours(540, 900)
    assert calendar("XTKS").hours(date(2024, 11, 5)) == calendar("XTKS").regular == Hours(540, 930)
    assert calendar("XKRX").hours(date(2018, 11, 15)) == Hours(600, 990), "an hour late: university entrance"


def test_D02_a_written_table_says_what_the_source_said() -> None:
    days = [*SMALL, TradingDay(date(2024, 3, 9), 600, 700)]
    days[50] = TradingDay(days[50].date, 570, 780)
    days.sort()
    known = reread(days)
    assert known.regular == Hours(570, 960)
    assert known.weekdays == MONDAY_TO_FRIDAY
    assert trading_days(known) == days


def test_D02_writing_again_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading_api.codegen.calendars.source_codes", lambda: ["24/5", "XNYS"])
    assert {change.path.name for change in planned(tmp_path).apply()} == {"24-5.txt", "XNYS.txt", "aliases.txt"}
    assert planned(tmp_path).apply() == []
    assert (tmp_path / "XNYS.txt").read_bytes() == (TABLES / "XNYS.txt").read_bytes()
