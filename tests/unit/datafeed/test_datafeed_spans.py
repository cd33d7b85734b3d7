"""The bar that an instant falls in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datafeed_markets import MARKETS

from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.spans import span_after, span_at, span_of
from trading_api.modules.datafeed.resolution import Resolution


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("resolution", list(Resolution))
@pytest.mark.parametrize(
    "closed",
    [
        "2025-11-27T16:00",  # Thanksgiving
        "2025-11-28T18:00",  # the half day after it has ended
        "2025-11-28T14:29",
        "2025-11-29T16:00",
        "2025-03-10T20:00",  # summer time has begun
    ],
)
def test_D02_outside_every_session_there_is_no_bar(closed: str, resolution: Resolution) -> None:
    assert span_of(MARKETS["AAPL"], resolution, ms(closed)) is None


def test_D02_the_last_bar_of_a_half_day_ends_with_it() -> None:
    span = span_of(MARKETS["AAPL"], Resolution.MINUTE_240, ms("2025-11-28T17:59"))
    assert span is not None
    assert (span.start, span.end) == (ms("2025-11-28T14:30"), ms("2025-11-28T18:00"))
    following = span_after(MARKETS["AAPL"], Resolution.MINUTE_240, span)
    assert following.start == ms("2025-12-01T14:30")


def test_D02_a_late_open_moves_the_grid() -> None:
    span = span_of(MARKETS["SEOUL"], Resolution.MINUTE_240, ms("2018-11-15T05:30"))
    assert span is not None
    assert (span.start, span.end) == (ms("2018-11-15T05:00"), ms("2018-11-15T07:30"))


def test_D02_a_week_with_a_holiday_has_the_sessions_that_took_place() -> None:
    span = span_of(MARKETS["AAPL"], Resolution.WEEK, ms("2025-11-28T15:00"))
    assert span is not None
    assert [part.window.day.day for part in span.parts] == [24, 25, 26, 28]
    assert span.time == ms("2025-11-24")


@given(
    st.sampled_from(list(MARKETS)), st.sampled_from(list(Resolution)), st.integers(ms("1985-01-01"), ms("2040-01-01"))
)
def test_D02_an_instant_falls_in_the_bar_that_covers_it(symbol: str, resolution: Resolution, time: int) -> None:
    schedule: Schedule = MARKETS[symbol]
    span, latest = span_of(schedule, resolution, time), span_at(schedule, resolution, time)
    window = schedule.latest(time)
    assert (span is None) == (time >= window.end)
    assert span in (None, latest)
    assert latest.start <= time
    assert span is None or span.start <= time < span.end
