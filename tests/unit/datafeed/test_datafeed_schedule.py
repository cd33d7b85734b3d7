"""Sessions as instants, and the stretches that bars cover."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.spans import span_after, span_at
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.session import parse_session

CATALOGUE = {instrument.name: instrument for instrument in load_catalogue()}
SCHEDULES = {name: Schedule.of(instrument) for name, instrument in CATALOGUE.items()}
INSTANTS = st.integers(1_262_304_000_000, 2_208_988_800_000)
MINUTE = 60_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def text(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%a %Y-%m-%dT%H:%M")


def opened(schedule: Schedule, day: str) -> tuple[str, str] | None:
    window = schedule.window(date.fromisoformat(day))
    return (text(window.start), text(window.end)) if window else None


def test_D02_a_stock_is_open_by_the_clock_of_its_exchange() -> None:
    nasdaq = SCHEDULES["AAPL"]
    assert opened(nasdaq, "2026-03-06") == ("Fri 2026-03-06T14:30", "Fri 2026-03-06T21:00")
    assert opened(nasdaq, "2026-03-09") == ("Mon 2026-03-09T13:30", "Mon 2026-03-09T20:00"), "summer time"
    assert opened(nasdaq, "2026-03-07") is None, "a Saturday"


def test_D02_an_overnight_session_has_the_date_on_which_it_closes() -> None:
    assert opened(SCHEDULES["EURUSD"], "2026-03-09") == ("Sun 2026-03-08T21:00", "Mon 2026-03-09T21:00")
    assert opened(SCHEDULES["EURUSD"], "2026-03-08") is None
    assert opened(SCHEDULES["ES"], "2026-01-12") == ("Sun 2026-01-11T23:00", "Mon 2026-01-12T22:00")


def test_D02_24x7_is_every_utc_day() -> None:
    assert opened(SCHEDULES["BTCUSD"], "2026-03-08") == ("Sun 2026-03-08T00:00", "Mon 2026-03-09T00:00")


def test_D02_weekdays_are_counted_from_sunday_as_tradingview_does() -> None:
    assert parse_session("0930-1600:17").weekdays == {5, 6}
    assert parse_session("0930-1600:23456") == parse_session("0930-1600")
    assert len(parse_session("24x7").weekdays) == 7


def test_D02_a_night_session_that_the_clock_change_swallows_is_none() -> None:
    schedule = Schedule(parse_session("0230-0315:1234567"), ZoneInfo("America/New_York"))
    assert opened(schedule, "2026-03-08") is None
    assert opened(schedule, "2026-03-07") is not None
    assert schedule.latest(ms("2026-03-08T20:00")).day == date(2026, 3, 7)


def test_D02_a_weekly_session_is_found_days_later() -> None:
    schedule = Schedule(parse_session("1000-1100:4"), ZoneInfo("UTC"))
    window = schedule.latest(ms("2026-03-10T12:00"))
    assert window.day == date(2026, 3, 4)
    assert schedule.after(window).day == date(2026, 3, 11)
    assert schedule.before(window).day == date(2026, 2, 25)


@pytest.mark.parametrize("session", ["", "0930", "24x5"])
def test_D02_a_session_that_cannot_be_read_is_refused(session: str) -> None:
    with pytest.raises(ValueError, match="neither 24x7 nor"):
        Schedule.of(replace(CATALOGUE["AAPL"], session=session))


@given(st.sampled_from(list(SCHEDULES)), INSTANTS)
def test_D02_the_latest_session_has_begun_and_the_next_has_not(symbol: str, time: int) -> None:
    schedule = SCHEDULES[symbol]
    window = schedule.latest(time)
    following = schedule.after(window)
    assert window.start <= time < following.start
    assert window.end <= following.start
    assert schedule.before(following) == window
    assert window.minutes > 0


@given(st.sampled_from(list(SCHEDULES)), st.sampled_from(list(Resolution)), INSTANTS)
def test_D02_bars_follow_each_other_without_gap_or_overlap(symbol: str, resolution: Resolution, time: int) -> None:
    schedule = SCHEDULES[symbol]
    span = span_at(schedule, resolution, time)
    following = span_after(schedule, resolution, span)
    assert span.start <= time < following.start
    assert span.end <= following.start
    assert span.time < following.time
    assert span_at(schedule, resolution, following.start) == following
    assert span_at(schedule, resolution, span.end - 1) == span
    assert span_at(schedule, resolution, following.start - 1) == span


@given(st.sampled_from(list(SCHEDULES)), st.sampled_from([r for r in Resolution if r.minutes]), INSTANTS)
def test_D02_intraday_bars_are_aligned_to_the_opening(symbol: str, resolution: Resolution, time: int) -> None:
    assert resolution.minutes is not None
    span = span_at(SCHEDULES[symbol], resolution, time)
    window = span.parts[0].window
    assert span.time == span.start
    assert (span.start - window.start) % (resolution.minutes * MINUTE) == 0
    assert span.end - span.start == resolution.minutes * MINUTE or span.end == window.end


def test_D02_day_week_and_month_bars_bear_the_trading_date() -> None:
    sunday_evening = ms("2026-03-01T23:30")
    dated = (Resolution.DAY, Resolution.WEEK, Resolution.MONTH)
    times = {each: text(span_at(SCHEDULES["EURUSD"], each, sunday_evening).time) for each in dated}
    assert times == {"1D": "Mon 2026-03-02T00:00", "1W": "Mon 2026-03-02T00:00", "1M": "Sun 2026-03-01T00:00"}
    week = span_at(SCHEDULES["EURUSD"], Resolution.WEEK, sunday_evening)
    assert (text(week.start), text(week.end)) == ("Sun 2026-03-01T22:00", "Fri 2026-03-06T22:00")


def test_D02_the_last_bar_of_a_session_ends_with_it() -> None:
    span = span_at(SCHEDULES["AAPL"], Resolution.MINUTE_240, ms("2026-01-12T20:00"))
    assert (text(span.start), text(span.end)) == ("Mon 2026-01-12T18:30", "Mon 2026-01-12T21:00")


def test_D02_while_the_market_is_closed_the_last_bar_is_the_current_one() -> None:
    span = span_at(SCHEDULES["AAPL"], Resolution.MINUTE_1, ms("2026-01-17T12:00"))
    assert text(span.start) == "Fri 2026-01-16T20:59"
