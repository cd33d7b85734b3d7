"""A replay of chosen symbols: the others have their history up to the virtual now, and nothing that moves (D02)."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datafeed_bars import ALWAYS, NEW_YORK, at, bar, put, served
from support.datafeed_bench import AAPL, Bench, bars

from trading_api.feed_settings import FeedSettings
from trading_api.modules.datafeed.bars.bar_store import BarStore
from trading_api.modules.datafeed.bars.history import SeriesReader
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.finished_series import finished_until
from trading_api.modules.datafeed.feed.replay import ReplayFeed
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.spans import span_of
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.ws import TopicRefused

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WALL = 1_900_000_000_000
OPEN = at("2024-01-03T14:30")
"""A Wednesday, New York."""
CLOSE = OPEN + 390 * MINUTE
OTHER = replace(NEW_YORK, name="OTHER")


def feed_of(store: BarStore, *symbols: str, start: str | None = "2024-01-03T14:30:00Z") -> ReplayFeed:
    settings = FeedSettings(kind="replay", symbols=symbols, start=datetime.fromisoformat(start) if start else None)
    known = {each.name: each for each in (NEW_YORK, OTHER, AAPL)}
    return ReplayFeed(store.engine, store, settings, known.get)


def begun(store: BarStore, *symbols: str) -> ReplayFeed:
    """One that has something to play, and plays since WALL."""
    feed = feed_of(store, *symbols)
    feed.prepare((), WALL)
    assert feed.moment(WALL) == OPEN
    return feed


@pytest.mark.parametrize("start", ["2024-01-03T14:30:00Z", None])
def test_D02_the_clock_begins_with_the_first_bar_to_play_and_not_while_it_waits(
    store: BarStore, start: str | None
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN - MINUTE, 10), bar(OPEN, 10)], OTHER)
    with closing(feed_of(store, "ABC", start=start)) as feed:
        before_it = times(feed, Resolution.MINUTE_1, OPEN + HOUR)
        assert before_it == ([OPEN - MINUTE] if start else []), "of others what is over by then, where that is known"
        feed.prepare([NEW_YORK], WALL + HOUR)
        assert feed.moment(WALL + HOUR) == 0
        put(store, Resolution.MINUTE_1, [bar(OPEN, 10)], NEW_YORK)
        feed.prepare([NEW_YORK], WALL + 2 * HOUR)
        assert feed.moment(WALL + 2 * HOUR) == OPEN
        assert feed.moment(WALL + 3 * HOUR) == OPEN + HOUR


@pytest.fixture
def feed(store: BarStore) -> Iterator[ReplayFeed]:
    """Plays ABC; there are bars of both symbols, on two days and after hours."""
    for instrument in (NEW_YORK, OTHER):
        times = [OPEN + day * DAY + minute * MINUTE for day in (-1, 0, 1) for minute in range(390)]
        put(store, Resolution.MINUTE_1, [bar(time, 10) for time in [*times, CLOSE + DAY + 10 * MINUTE]], instrument)
    with closing(begun(store, "ABC")) as opened:
        yield opened


def times(feed: ReplayFeed, resolution: Resolution, now: int, instrument: Instrument = OTHER) -> list[int]:
    series = feed.series(instrument, resolution, WALL + now - OPEN)
    found = [each.time for each in series.newest(end=None, limit=10**6)]
    assert found == [each.time for each in series.between(start=0, end=None, limit=10**6)]
    return found


def test_D02_a_symbol_that_is_not_chosen_has_no_bar_that_forms(feed: ReplayFeed) -> None:
    now = OPEN + 90 * MINUTE + 30_000
    assert times(feed, Resolution.MINUTE_1, now)[-1] == OPEN + 89 * MINUTE
    assert times(feed, Resolution.MINUTE_60, now)[-1] == OPEN
    assert times(feed, Resolution.DAY, now) == [at("2024-01-02")]
    assert times(feed, Resolution.WEEK, now) == []
    assert times(feed, Resolution.DAY, now, NEW_YORK)[-1] == at("2024-01-03"), "that of the replayed one forms"
    assert feed.symbols_held() == 1, "nothing of the other is played"


def test_D02_a_bar_is_there_from_its_end_on_however_short_it_is(feed: ReplayFeed) -> None:
    assert times(feed, Resolution.MINUTE_1, OPEN + MINUTE - 1)[-1] < OPEN
    assert times(feed, Resolution.MINUTE_1, OPEN + MINUTE)[-1] == OPEN
    assert times(feed, Resolution.MINUTE_60, CLOSE - 1)[-1] == OPEN + 5 * HOUR
    assert times(feed, Resolution.MINUTE_60, CLOSE)[-1] == OPEN + 6 * HOUR, "half an hour long"
    assert times(feed, Resolution.DAY, CLOSE - 1)[-1] == at("2024-01-02")
    assert times(feed, Resolution.DAY, CLOSE)[-1] == at("2024-01-03")
    late = CLOSE + DAY + 10 * MINUTE
    assert times(feed, Resolution.MINUTE_1, late + MINUTE - 1)[-1] == CLOSE + DAY - MINUTE
    assert times(feed, Resolution.MINUTE_1, late + MINUTE)[-1] == late, "after hours"
    assert times(feed, Resolution.WEEK, at("2024-01-05T20:59")) == []
    assert times(feed, Resolution.WEEK, at("2024-01-05T21:00")) == [at("2024-01-01")]
    assert times(feed, Resolution.MONTH, at("2024-01-31T20:59")) == []
    assert times(feed, Resolution.MONTH, at("2024-01-31T21:00")) == [at("2024-01-01")]


def test_D02_ranges_of_a_symbol_that_is_not_chosen_end_at_the_virtual_now(feed: ReplayFeed) -> None:
    series: SeriesReader = feed.series(OTHER, Resolution.MINUTE_1, WALL + 2 * MINUTE)
    assert series.between(start=OPEN + 2 * MINUTE, end=OPEN + HOUR, limit=9) == []
    assert [each.time for each in series.between(start=OPEN, end=OPEN + HOUR, limit=9)] == [OPEN, OPEN + MINUTE]
    assert [each.time for each in series.between(start=OPEN, end=OPEN + MINUTE, limit=9)] == [OPEN]
    assert [each.time for each in series.newest(end=OPEN + HOUR, limit=1)] == [OPEN + MINUTE]
    assert [each.time for each in series.newest(end=OPEN + MINUTE, limit=1)] == [OPEN]


@given(
    st.integers(0, 40 * DAY),
    st.sampled_from(Resolution),
    st.sampled_from([NEW_YORK, ALWAYS, replace(NEW_YORK, session="1700-1600", timezone="America/Chicago")]),
)
def test_D02_what_is_over_is_what_its_sessions_say(offset: int, resolution: Resolution, instrument: Instrument) -> None:
    now, schedule = OPEN + offset, Schedule.of(instrument)
    until = finished_until(schedule, resolution, now)
    forming = span_of(schedule, resolution, now)
    if forming is not None:
        assert until <= forming.time, "what forms is never told"
        over = span_of(schedule, resolution, schedule.before(forming.parts[0].window).end - 1)
        assert over is None or over.time < until, "and what ended with the session before always is"
    else:
        assert until > schedule.latest(now).end - (resolution.minutes or 10**5) * MINUTE


def test_D02_a_symbol_whose_sessions_nobody_knows_gets_its_days_when_they_are_over_everywhere(
    store: BarStore,
) -> None:
    strange = replace(OTHER, session="nonsense")
    put(store, Resolution.DAY, [bar(at("2024-01-02")), bar(at("2024-01-03"))], OTHER)
    with closing(begun(store)) as feed:
        assert times(feed, Resolution.DAY, at("2024-01-04T11:59"), strange) == [at("2024-01-02")]
        assert times(feed, Resolution.DAY, at("2024-01-04T12:00"), strange) == [at("2024-01-02"), at("2024-01-03")]


def test_D02_before_the_replay_has_begun_nobody_has_bars(store: BarStore) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN)], OTHER)
    with closing(feed_of(store, "ABC", start=None)) as feed:
        assert times(feed, Resolution.MINUTE_1, OPEN + DAY) == []


def test_D02_the_service_refuses_to_stream_it_and_still_tells_its_history(store: BarStore) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN + minute * MINUTE) for minute in range(9)], AAPL)
    put(store, Resolution.MINUTE_1, [bar(OPEN)], NEW_YORK)

    async def main() -> None:
        bench = Bench(store, begun(store, "ABC"))
        bench.now = WALL + 150_000
        with pytest.raises(TopicRefused):
            await bench.subscribe(bars("AAPL"))
        series = bench.service._series(AAPL, Resolution.MINUTE_1)
        stored = served(store, Resolution.MINUTE_1, "AAPL")
        assert series.newest(end=None, limit=99) == stored[:2]
        assert bench.service.quotes(["AAPL"])[0].s == "error"
        await bench.service.shutdown()

    asyncio.run(main())


# --- chosen in vain


def started(store: BarStore, *symbols: str) -> None:
    async def main() -> None:
        feed = feed_of(store, *symbols)
        await feed.start(lambda: None)
        await feed.stop()

    asyncio.run(main())


def test_D02_chosen_symbols_without_bars_are_named_once_at_the_start(
    store: BarStore, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN)], NEW_YORK)
    started(store, "NOPE", "ABC", "OTHER")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "feed.replay.symbols: nothing to play of NOPE, OTHER: no such symbol, or no bars of it are stored yet"
    ]


@pytest.mark.parametrize("symbols", [(), ("ABC",)])
def test_D02_without_such_symbols_nothing_is_said(
    store: BarStore, caplog: pytest.LogCaptureFixture, symbols: tuple[str, ...]
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN)], NEW_YORK)
    started(store, *symbols)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_D02_a_store_that_cannot_be_read_at_the_start_stops_nothing(
    store: BarStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_store: BarStore, _symbol: str) -> None:
        raise StoreError("locked")

    monkeypatch.setattr(BarStore, "resolutions_of", broken)
    started(store, "ABC")
    assert [record.levelname for record in caplog.records if "locked" in record.message] == ["WARNING"]
