"""From written times to bar times."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datafeed_markets import MARKETS

from trading_api.modules.datafeed.bar_time import BarClock, epoch_ms, ms_text, parse_time, period_start, to_ms
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.session import parse_session


def clock(resolution: str, *, zone: str = "UTC", session: str = "24x7", session_zone: str = "UTC") -> BarClock:
    return BarClock(Resolution(resolution), ZoneInfo(zone), parse_session(session), ZoneInfo(session_zone))


def utc(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["", "yesterday", "01/02/2024", "2024-13-01", "2024-02-30", "2024-01-01 25:00", "1e9", "x" * 50]
)
def test_D02_unreadable_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an ISO date|is too long"):
        parse_time(text)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "9999-12-31T23:59:59", "9999999999999999", "-99999999999999", "2200-01-01"]
)
def test_D02_time_far_outside_any_market_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected 1801 to 2199|not within the calendar"):
        parse_time(text)


def test_D02_skipped_local_time_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist in America/New_York"):
        clock("1", zone="America/New_York").bar_time("2024-03-10 02:30")


def test_D02_repeated_local_time_is_refused_unless_it_has_an_offset() -> None:
    new_york = clock("1", zone="America/New_York")
    with pytest.raises(ValueError, match="happens twice in America/New_York"):
        new_york.bar_time("2024-11-03 01:30")
    assert new_york.bar_time("2024-11-03T01:30-05:00") == utc("2024-11-03T06:30")


@pytest.mark.parametrize(
    ("resolution", "text"),
    [("1", "2024-01-02 09:30:30"), ("5", "2024-01-02 09:31"), ("60", "2024-01-02 09:30"), ("240", "2024-01-02 02:00")],
)
def test_D02_time_off_the_grid_is_refused(resolution: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"off the grid of resolution {resolution}"):
        clock(resolution).bar_time(text)


@pytest.mark.parametrize("text", ["2024-01-02 09:30", "2024-07-02 13:30"])
def test_D02_grid_starts_at_the_session_across_daylight_saving(text: str) -> None:
    """Four-hour bars of New York stocks start at 09:30 and 13:30 there, summer and winter."""
    nasdaq = clock("240", zone="America/New_York", session="0930-1600", session_zone="America/New_York")
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))
    assert nasdaq.bar_time(text) == to_ms(local.astimezone(UTC))


def test_D02_grid_starts_at_a_late_opening_too() -> None:
    """Seoul opens at 10:00 instead of 09:00 on one day of the year, and four-hour bars with it."""
    seoul = clock("240", zone="Asia/Seoul", session="0900-1530", session_zone="Asia/Seoul")
    with pytest.raises(ValueError, match="off the grid"):
        seoul.bar_time("2018-11-15 14:00")
    by_calendar = replace(seoul, opening=MARKETS["SEOUL"].opening)
    assert by_calendar.bar_time("2018-11-15 14:00") == utc("2018-11-15T05:00")
    assert by_calendar.bar_time("2018-11-15 13:00") == utc("2018-11-15T04:00"), "from the usual opening, as some do"
    for off in ("2018-11-15 15:00", "2018-11-14 14:00"):
        with pytest.raises(ValueError, match="off the grid"):
            by_calendar.bar_time(off)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-02 14:30",
        "2024-01-02T14:30:00Z",
        "2024-01-02T09:30:00-05:00",
        "2024/01/02 14:30",
        "2024.01.02 14:30",
        "1704205800",
        "1704205800.0",
        "1704205800000",
    ],
)
def test_D02_one_instant_in_many_spellings(text: str) -> None:
    assert clock("30").bar_time(text) == 1704205800000


@pytest.mark.parametrize(
    "text", ["2024-01-02", "20240102", "2024-01-02 00:00", "2024-01-02T16:00", "1704153600", "2024-01-02T21:00Z"]
)
def test_D02_day_bar_lands_at_midnight_utc_of_its_date(text: str) -> None:
    assert clock("1D").bar_time(text) == utc("2024-01-02")


@pytest.mark.parametrize("text", ["2024-01-02T00:00:00Z", "1704153600", "1704153600000", "2024-01-01T19:00:00-05:00"])
def test_D02_day_bar_at_midnight_utc_has_that_date_in_every_zone(text: str) -> None:
    for zone in ("America/New_York", "Asia/Tokyo", "UTC"):
        for session in ("0930-1600", "1700-1600"):
            assert clock("1D", zone=zone, session=session, session_zone=zone).bar_time(text) == utc("2024-01-02")


def test_D02_day_bar_written_as_instant_takes_the_date_of_the_time_zone() -> None:
    """Tokyo's midnight is 15:00 UTC of the day before."""
    assert clock("1D", zone="Asia/Tokyo").bar_time("2024-01-01T15:00:00Z") == utc("2024-01-02")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-07T22:00:00Z", "2024-01-08"),  # Sunday 17:00 in New York opens Monday
        ("2024-01-08T21:59:00Z", "2024-01-08"),
        ("2024-01-08T00:00:00Z", "2024-01-08"),  # midnight is how files write a date
        ("2024-01-08", "2024-01-08"),
    ],
)
def test_D02_evening_of_an_overnight_session_belongs_to_the_next_trading_day(text: str, expected: str) -> None:
    forex = clock("1D", session="1700-1700", session_zone="America/New_York")
    assert forex.bar_time(text) == utc(expected)


def test_D02_week_bar_lands_on_monday_and_month_bar_on_the_first() -> None:
    assert clock("1W").bar_time("2024-01-05") == utc("2024-01-01")
    assert clock("1M").bar_time("2024-02-29") == utc("2024-02-01")


@given(
    st.dates(date(1802, 1, 1), date(2198, 12, 31)), st.sampled_from([Resolution.DAY, Resolution.WEEK, Resolution.MONTH])
)
def test_D02_period_start_is_idempotent_and_never_later(day: date, resolution: Resolution) -> None:
    start = period_start(day, resolution)
    assert period_start(start, resolution) == start
    assert timedelta(0) <= day - start <= timedelta(days=30)


@given(
    st.datetimes(datetime.fromisoformat("1974-01-01"), datetime.fromisoformat("2198-01-01")).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    )
)
def test_D02_iso_seconds_and_ms_mean_the_same_instant(moment: datetime) -> None:
    expected = to_ms(moment.replace(tzinfo=UTC))
    minute = clock("1")
    assert minute.bar_time(moment.isoformat()) == expected
    assert minute.bar_time(str(expected)) == expected
    assert epoch_ms(expected // 1000) == epoch_ms(expected) == expected


def test_D02_local_times_become_utc() -> None:
    new_york = clock("1", zone="America/New_York")
    assert new_york.bar_time("2024-01-02 09:30") == utc("2024-01-02T14:30")
    assert new_york.bar_time("2024-07-02 09:30") == utc("2024-07-02T13:30")


def test_D02_negative_and_fractional_epochs() -> None:
    assert parse_time("-60.5") == datetime(1969, 12, 31, 23, 58, 59, 500000, tzinfo=UTC)
    assert parse_time("1704205800500.5") == datetime(2024, 1, 2, 14, 30, 0, 500500, tzinfo=UTC)


def test_D02_times_are_shown_as_people_read_them() -> None:
    assert ms_text(1704153600000) == "2024-01-02"
    assert ms_text(1704205800000) == "2024-01-02 14:30:00Z"
