"""Sessions that obey the calendar of their exchange."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from trading_api.modules.datafeed.calendars import calendar, calendar_codes
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.session import parse_session

CATALOGUE = {instrument.name: replace(instrument, calendar="") for instrument in load_catalogue()}
SCHEDULES = {name: Schedule.of(instrument) for name, instrument in CATALOGUE.items()}


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def text(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%a %Y-%m-%dT%H:%M")


def opened(schedule: Schedule, day: str) -> tuple[str, str] | None:
    window = schedule.window(date.fromisoformat(day))
    return (text(window.start), text(window.end)) if window else None


def with_calendar(symbol: str, code: str, *, session: str = "", timezone: str = "") -> Schedule:
    known = CATALOGUE[symbol]
    session, timezone = session or known.session, timezone or known.timezone
    return Schedule.of(replace(known, calendar=code, session=session, timezone=timezone))


@pytest.mark.parametrize("code", ["XNYZ", "../tables/XNYS"])
def test_D02_a_calendar_that_nobody_knows_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="unknown calendar"):
        with_calendar("AAPL", code)


def test_D02_a_session_on_none_of_the_calendars_weekdays_is_refused() -> None:
    with pytest.raises(ValueError, match="has no weekday on which XNYS trades"):
        with_calendar("AAPL", "XNYS", session="0930-1600:17")


def test_D02_without_a_session_for_long_the_search_ends() -> None:
    with pytest.raises(LookupError, match="no session within"):
        Schedule(parse_session("0930-1600:17"), ZoneInfo("UTC"), calendar("XNYS")).latest(ms("2026-01-12T12:00"))


def test_D02_a_holiday_has_no_session() -> None:
    nasdaq = with_calendar("AAPL", "XNYS")
    assert opened(nasdaq, "2025-12-25") is None
    assert opened(SCHEDULES["AAPL"], "2025-12-25") is not None, "without a calendar there are none"
    window = nasdaq.latest(ms("2025-12-25T16:00"))
    assert (window.day, nasdaq.after(window).day) == (date(2025, 12, 24), date(2025, 12, 26))


def test_D02_an_early_close_ends_the_session_by_the_clock_of_the_exchange() -> None:
    assert opened(with_calendar("AAPL", "XNYS"), "2025-11-28") == ("Fri 2025-11-28T14:30", "Fri 2025-11-28T18:00")
    elsewhere = with_calendar("AAPL", "XNYS", session="1530-2200", timezone="Europe/Berlin")
    assert opened(elsewhere, "2025-11-28") == ("Fri 2025-11-28T14:30", "Fri 2025-11-28T18:00")


def test_D02_a_late_open_begins_the_session_later() -> None:
    seoul = with_calendar("AAPL", "XKRX", session="0900-1530", timezone="Asia/Seoul")
    assert opened(seoul, "2018-11-14") == ("Wed 2018-11-14T00:00", "Wed 2018-11-14T06:30")
    assert opened(seoul, "2018-11-15") == ("Thu 2018-11-15T01:00", "Thu 2018-11-15T07:30")
    morning = with_calendar("AAPL", "XKRX", session="0900-1200", timezone="Asia/Seoul")
    assert opened(morning, "2018-11-15") == ("Thu 2018-11-15T01:00", "Thu 2018-11-15T03:00"), "it closes as ever"


def test_D02_an_overnight_session_obeys_its_calendar() -> None:
    emini = with_calendar("ES", "CMES")
    assert opened(emini, "2025-07-03") == ("Wed 2025-07-02T22:00", "Thu 2025-07-03T21:00")
    assert opened(emini, "2025-07-04") == ("Thu 2025-07-03T22:00", "Fri 2025-07-04T17:00"), "Independence Day"
    assert opened(emini, "2025-12-25") is None
    assert opened(emini, "2025-12-26") == ("Thu 2025-12-25T23:00", "Fri 2025-12-26T22:00")
    forex = with_calendar("EURUSD", "24/5")
    assert forex.window(date(2026, 3, 9)) == SCHEDULES["EURUSD"].window(date(2026, 3, 9))
    assert opened(forex, "2026-03-08") is None


def test_D02_longer_hours_than_the_exchange_are_kept_on_regular_days() -> None:
    extended = with_calendar("AAPL", "XNYS", session="0400-2000")
    assert opened(extended, "2026-01-12") == ("Mon 2026-01-12T09:00", "Tue 2026-01-13T01:00")
    assert opened(extended, "2025-11-28") == ("Fri 2025-11-28T09:00", "Fri 2025-11-28T18:00")


def test_D02_hours_follow_the_exchange_through_its_history() -> None:
    tokyo = with_calendar("AAPL", "XTKS", session="0900-1530", timezone="Asia/Tokyo")
    assert opened(tokyo, "2024-11-01") == ("Fri 2024-11-01T00:00", "Fri 2024-11-01T06:00")
    assert opened(tokyo, "2024-11-05") == ("Tue 2024-11-05T00:00", "Tue 2024-11-05T06:30")
    santiago = with_calendar("AAPL", "XSGO", session="0930-1600", timezone="America/Santiago")
    assert opened(santiago, "2025-06-04") == ("Wed 2025-06-04T13:30", "Wed 2025-06-04T20:00")
    assert opened(santiago, "2025-12-03") == ("Wed 2025-12-03T12:30", "Wed 2025-12-03T20:00"), "an hour more in summer"
    shorter = with_calendar("AAPL", "XSGO", session="0930-1500", timezone="America/Santiago")
    assert opened(shorter, "2025-12-03") == ("Wed 2025-12-03T12:30", "Wed 2025-12-03T18:00"), "its own closing"


def test_D02_a_session_at_a_weekend_is_one() -> None:
    bombay = with_calendar("AAPL", "XBOM", session="0915-1530", timezone="Asia/Kolkata")
    assert opened(bombay, "2024-01-20") == ("Sat 2024-01-20T03:45", "Sat 2024-01-20T10:00")
    assert opened(bombay, "2024-01-27") is None


def test_D02_weekdays_that_the_session_leaves_out_stay_out() -> None:
    mondays = with_calendar("AAPL", "XNYS", session="0930-1600:2")
    assert opened(mondays, "2026-01-13") is None
    assert mondays.latest(ms("2026-01-20T12:00")).day == date(2026, 1, 12), "the 19th is a holiday"


def test_D02_an_afternoon_session_that_an_early_close_swallows_is_none() -> None:
    afternoon = with_calendar("AAPL", "XNYS", session="1400-1600")
    assert opened(afternoon, "2025-11-28") is None
    assert opened(afternoon, "2025-12-01") is not None


def test_D02_dates_beyond_the_calendar_follow_the_regular_week() -> None:
    bombay = with_calendar("AAPL", "XBOM", session="0915-1530", timezone="Asia/Kolkata")
    assert (bombay.known(date(2026, 12, 31)), bombay.known(date(2027, 1, 1))) == (True, False)
    assert opened(bombay, "2027-01-26") == ("Tue 2027-01-26T03:45", "Tue 2027-01-26T10:00")
    assert opened(bombay, "2027-01-24") is None
    assert opened(bombay, "1990-01-01") is not None
    assert Schedule(parse_session("24x7"), ZoneInfo("UTC")).known(date(1, 1, 1)), "nothing to know"


@pytest.mark.parametrize(
    ("code", "session", "zone", "closed", "last", "following"),
    [
        ("XNYS", "0930-1600", "America/New_York", "2001-09-13", "2001-09-10", "2001-09-17"),
        ("XTKS", "0900-1530", "Asia/Tokyo", "2019-05-01", "2019-04-26", "2019-05-07"),
        ("XSHG", "0930-1500", "Asia/Shanghai", "2020-01-28", "2020-01-23", "2020-02-03"),
        ("XSHG", "0930-1500", "Asia/Shanghai", "1999-02-20", "1999-02-09", "1999-03-01"),
        ("ASEX", "1000-1720", "Europe/Athens", "2015-07-15", "2015-06-26", "2015-08-03"),
    ],
)
def test_D02_a_long_closure_is_bridged(
    code: str, session: str, zone: str, closed: str, last: str, following: str
) -> None:
    schedule = with_calendar("AAPL", code, session=session, timezone=zone)
    window = schedule.latest(ms(f"{closed}T12:00"))
    assert window.day.isoformat() == last
    assert schedule.after(window).day.isoformat() == following
    assert schedule.before(schedule.after(window)) == window


@pytest.mark.parametrize("code", calendar_codes())
@pytest.mark.long
def test_D02_no_closure_is_longer_than_the_search(code: str) -> None:
    known = calendar(code)
    minutes = f"{known.regular.open % 1440 // 60:02}{known.regular.open % 60:02}"
    ending = f"{known.regular.close // 60:02}{known.regular.close % 60:02}"
    weekdays = "".join(str((weekday + 1) % 7 + 1) for weekday in known.weekdays)
    for days in (weekdays, *weekdays):
        schedule = with_calendar("BTCUSD", code, session=f"{minutes}-{ending}:{days}", timezone=known.zone.key)
        window = schedule.latest(ms("2036-02-01T00:00"))
        while window.day > date(2035, 1, 1) or (len(days) > 1 and window.day > date(1990, 2, 1)):
            window = schedule.before(window)


def test_D02_instruments_that_trade_alike_share_their_sessions() -> None:
    assert with_calendar("AAPL", "XNYS") is with_calendar("MSFT", "XNYS")
    assert with_calendar("AAPL", "XNYS") != with_calendar("AAPL", "XLON")
    assert with_calendar("AAPL", "XNYS").opening(ms("2026-01-12T15:00")) == ms("2026-01-12T14:30")
