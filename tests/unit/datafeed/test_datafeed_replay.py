"""The replayed feed: what is stored, on a virtual clock, and never a glimpse of what is still to come (D02)."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datafeed_bars import NEW_YORK, at, bar, put, served
from support.datafeed_bench import AAPL, Bench, bars, quotes
from support.waiting import wait_until

from trading_api.feed_settings import FeedSettings
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_store import BarSeries, BarStore
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.bar_path import TICK_MS, BarPath
from trading_api.modules.datafeed.feed.candle import Candle
from trading_api.modules.datafeed.feed.live import LiveFeed
from trading_api.modules.datafeed.feed.replay import ReplayFeed
from trading_api.modules.datafeed.feed.replay_clock import ReplayClock, begin_clock, find_clock, run_key
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WALL = 1_900_000_000_000
OPEN = at("2024-01-03T14:30")
"""A Wednesday, New York."""
PRICES = st.integers(1, 10_000)


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    low, first, last, high = sorted(draw(st.lists(PRICES, min_size=4, max_size=4)))
    opened, closed = draw(st.permutations([first, last]))
    return Candle(opened, high, low, closed, draw(st.integers(0, 10**9)))


# --- the way through a bar


@given(candles(), st.integers(1, 3000), st.sampled_from([1, 5, 25]))
def test_D02_a_bar_that_was_played_to_its_end_is_the_stored_one(candle: Candle, minutes: int, unit: int) -> None:
    path = BarPath(candle, [(0, minutes * MINUTE)], unit)
    last = path.tick(minutes * MINUTE)
    assert last == minutes * 60 - 1
    assert path.part(0, last) == candle


@given(candles(), st.integers(0, 59), st.integers(0, 59))
def test_D02_a_bar_that_forms_only_grows(candle: Candle, one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    path = BarPath(candle, [(0, MINUTE)], 1)
    before, after = path.part(0, earlier), path.part(0, later)
    assert candle.low <= after.low <= before.low <= before.high <= after.high <= candle.high
    assert before.volume <= after.volume <= candle.volume
    assert before.open == candle.open
    assert path.part(earlier, later).close == after.close


@given(candles(), st.integers(0, 2000))
def test_D02_a_long_bar_is_traded_in_its_sessions_only(candle: Candle, minute: int) -> None:
    sessions = [(0, 390 * MINUTE), (1000 * MINUTE, 1390 * MINUTE)]
    path = BarPath(candle, sessions, 1)
    tick = path.tick(minute * MINUTE)
    assert any(start <= path.tick_time(tick) < end for start, end in sessions)
    assert path.tick_time(tick) <= max(0, minute * MINUTE)
    assert path.tick(path.tick_time(tick)) == tick
    if 390 <= minute < 1000:
        assert tick == 390 * 60 - 1


def test_D02_a_rising_bar_sees_its_low_first_and_a_falling_one_its_high() -> None:
    rising, falling = Candle(10, 20, 5, 15, 0), Candle(15, 20, 5, 10, 0)
    assert BarPath(rising, [(0, MINUTE)], 1).part(0, 20)[:4] == (10, 10, 5, 5)
    assert BarPath(falling, [(0, MINUTE)], 1).part(0, 20)[1:3] == (20, 15)


def test_D02_between_its_corners_the_price_is_on_tick() -> None:
    path = BarPath(Candle(100, 1000, 100, 1000, 0), [(0, MINUTE)], 25)
    assert all(path.part(tick, tick).close % 25 == 0 for tick in range(60))


# --- the clock


def settings(start: str | None = "2024-01-03T14:30:00Z", **changes: object) -> FeedSettings:
    moment = datetime.fromisoformat(start) if start else None
    return replace(FeedSettings(kind="replay", start=moment), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("speed", "wall", "time"),
    [("1", 1234, 1234), ("60", 1000, MINUTE), ("0.5", 1001, 500), ("1", -5000, 0), ("100000", 10**15, 0)],
)
def test_D02_the_virtual_time_is_start_plus_elapsed_times_speed(speed: str, wall: int, time: int) -> None:
    clock = ReplayClock(OPEN, WALL, Decimal(speed))
    found = clock.time(WALL + wall)
    assert (
        found == OPEN + time if time or wall <= 0 else found == at("2200-01-01T00:00")
    ), "and never beyond the calendar"


def test_D02_the_first_instance_begins_the_replay_and_all_others_join(store: BarStore) -> None:
    first = begin_clock(store.engine, settings(), start=OPEN, now=WALL)
    assert begin_clock(store.engine, settings(), start=OPEN + DAY, now=WALL + HOUR) == first
    assert find_clock(store.engine, settings()) == first
    assert find_clock(store.engine, settings(seed=2)) is None, "another seed begins anew"


def test_D02_instances_that_begin_at_once_agree(store: BarStore) -> None:
    begin_clock(store.engine, settings(seed=9), start=0, now=0)
    ready, found = threading.Barrier(4), list[ReplayClock]()

    def begin(number: int) -> None:
        ready.wait()
        found.append(begin_clock(store.engine, settings(), start=OPEN + number, now=WALL + number))

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({(clock.start, clock.anchor) for clock in found}) == 1


def test_D02_a_replay_is_named_by_what_is_set_and_not_by_how() -> None:
    same = settings("2024-01-03T09:30:00-05:00", speed=Decimal("1.0"), symbols=("B", "A"))
    assert run_key(same) == run_key(settings(symbols=("A", "B")))
    assert run_key(same) != run_key(settings())
    assert run_key(settings(speed=Decimal(2))) != run_key(settings())


# --- what is played


def feed_of(store: BarStore, chosen: FeedSettings | None = None, *known: Instrument) -> ReplayFeed:
    """A feed that began at WALL."""
    found = {each.name: each for each in (known or (NEW_YORK,))}
    feed = ReplayFeed(store.engine, store, chosen or settings(), found.get)
    feed.prepare((), WALL)
    return feed


@pytest.fixture
def replay(store: BarStore) -> Iterator[Callable[..., ReplayFeed]]:
    feeds = list[ReplayFeed]()

    def make(*arguments: object) -> ReplayFeed:
        feeds.append(feed_of(store, *arguments))  # type: ignore[arg-type]
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.close()


def last(feed: ReplayFeed, time: int, instrument: Instrument = NEW_YORK) -> int | None:
    """The last price at a virtual time."""
    wall = WALL + time - OPEN
    feed.prepare([instrument], wall)
    quote = feed.quote(instrument, feed.moment(wall))
    return None if quote is None else quote.last // 10**quote.price_scale


def history(feed: ReplayFeed, resolution: Resolution, time: int) -> Sequence[ScaledBar]:
    return feed.series(NEW_YORK, resolution, WALL + time - OPEN).newest(end=None, limit=1000)


def test_D02_a_symbol_without_bars_is_not_covered(store: BarStore, replay: Callable[..., ReplayFeed]) -> None:
    feed = replay()
    assert not feed.covers(NEW_YORK)
    assert last(feed, OPEN) is None
    put(store, Resolution.MINUTE_1, [bar(OPEN)], NEW_YORK)
    assert feed.covers(NEW_YORK)
    assert not replay(settings(symbols=("OTHER",))).covers(NEW_YORK)
    assert not feed.covers(replace(NEW_YORK, session="nonsense"))


def test_D02_before_the_first_bar_there_is_nothing_and_after_the_last_one_it_stays(
    store: BarStore, replay: Callable[..., ReplayFeed], caplog: pytest.LogCaptureFixture
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN + 10 * MINUTE, 50)], NEW_YORK)
    feed = replay()
    with caplog.at_level(logging.INFO):
        assert last(feed, OPEN + 9 * MINUTE) is None
        assert history(feed, Resolution.DAY, OPEN + 9 * MINUTE) == []
        assert last(feed, OPEN + 10 * MINUTE) == 50
        for days in range(1, 6):
            assert last(feed, OPEN + days * DAY) == 51
    assert [record.message for record in caplog.records if "its last quote stays" in record.message] == [
        "the bars of ABC end before 2024-01-04; its last quote stays"
    ]


def test_D02_a_gap_in_the_data_is_a_quote_that_stands_still(
    store: BarStore, replay: Callable[..., ReplayFeed], caplog: pytest.LogCaptureFixture
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN, 10), bar(OPEN + HOUR, 20), bar(OPEN + 2 * DAY, 30)], NEW_YORK)
    feed = replay()
    with caplog.at_level(logging.INFO):
        assert [last(feed, OPEN + time) for time in (0, MINUTE, HOUR - 1)] == [10, 11, 11]
        assert last(feed, OPEN + HOUR) == 20
        assert last(feed, OPEN + DAY + HOUR) == 21, "a day without bars"
        assert last(feed, OPEN + 2 * DAY) == 30
    assert "stays" not in caplog.text, "there is more to come"
    quote = feed.quote(NEW_YORK, OPEN + 2 * DAY)
    assert quote is not None
    assert quote.previous_close == 21 * 10**quote.price_scale


def test_D02_a_price_of_one_step_has_a_bid_at_it_not_at_0(store: BarStore, replay: Callable[..., ReplayFeed]) -> None:
    one, two = ScaledBar(OPEN, 2, 1, 1, 1, 1, 0, 5), ScaledBar(OPEN + MINUTE, 2, 2, 2, 2, 2, 0, 5)
    put(store, Resolution.MINUTE_1, [one, two], NEW_YORK)
    feed = replay()
    feed.prepare([NEW_YORK], WALL)
    quotes = [feed.quote(NEW_YORK, time) for time in (OPEN, OPEN + MINUTE)]
    assert [(each.bid, each.last, each.ask) for each in quotes if each is not None] == [(1, 1, 2), (1, 2, 3)]


def test_D02_nothing_of_the_future_is_told(store: BarStore, replay: Callable[..., ReplayFeed]) -> None:
    """What is to come may be anything: as far as a time, all that is told is the same."""
    past = [bar(OPEN + minute * MINUTE, 10 + minute) for minute in range(90)]
    future = [bar(OPEN + minute * MINUTE, 5000) for minute in range(90, 390)]
    later = [bar(OPEN + DAY + minute * MINUTE, 9000) for minute in range(30)]
    put(store, Resolution.MINUTE_1, past, NEW_YORK)
    feed, now = replay(), OPEN + 89 * MINUTE + 30_000
    before = {resolution: history(feed, resolution, now) for resolution in Resolution}
    put(store, Resolution.MINUTE_1, [*future, *later], NEW_YORK)
    feed = replay()
    for resolution in Resolution:
        told = history(feed, resolution, now)
        assert told == before[resolution]
        assert max(each.high for each in told) < 5000 * 10 ** told[-1].price_scale
    series = feed.series(NEW_YORK, Resolution.MINUTE_1, WALL + now - OPEN)
    assert series.between(start=now, end=None, limit=10) == []
    assert [each.time for each in series.between(start=0, end=None, limit=10**6)][-1] == OPEN + 89 * MINUTE
    assert [each.time for each in series.newest(end=OPEN + 2 * MINUTE, limit=9)] == [OPEN, OPEN + MINUTE]
    assert [each.time for each in series.between(start=0, end=OPEN + MINUTE, limit=9)] == [OPEN]
    assert len(series.newest(end=None, limit=1)) == 1


def test_D02_a_day_of_days_only_runs_through_its_session(store: BarStore, replay: Callable[..., ReplayFeed]) -> None:
    day = at("2024-01-03T00:00")
    put(store, Resolution.DAY, [bar(day - DAY, 5), bar(day, 10), bar(day + DAY, 900)], NEW_YORK)
    feed = replay()
    assert [last(feed, OPEN + time) for time in (0, 390 * MINUTE, 12 * HOUR)] == [10, 11, 11]
    assert history(feed, Resolution.DAY, OPEN - 1 + 390 * MINUTE)[-1].time == day
    assert history(feed, Resolution.DAY, OPEN + 390 * MINUTE) == served(store, Resolution.DAY)[:2]
    week = history(feed, Resolution.WEEK, OPEN + 390 * MINUTE)[-1]
    assert (week.high // 10**week.price_scale, week.low // 10**week.price_scale) == (12, 4)


def test_D02_a_day_that_is_missing_does_not_follow_the_week_that_tells_its_end(
    store: BarStore, replay: Callable[..., ReplayFeed]
) -> None:
    tuesday = at("2024-01-02T00:00")
    put(store, Resolution.DAY, [bar(tuesday, 10), bar(tuesday + 3 * DAY, 900)], NEW_YORK)
    feed = replay()
    assert [last(feed, OPEN + time) for time in (0, HOUR, DAY)] == [11, 11, 11]


def test_D02_weeks_alone_are_played_over_their_sessions(store: BarStore, replay: Callable[..., ReplayFeed]) -> None:
    monday = at("2024-01-01T00:00")
    weeks = [ScaledBar(monday + number * 7 * DAY, 0, 100, 400, 100, 400, 0, 1000) for number in range(2)]
    put(store, Resolution.WEEK, weeks, NEW_YORK)
    feed = replay()
    prices = [last(feed, OPEN + time) for time in (0, 3 * HOUR, DAY, 2 * DAY, 2 * DAY + 390 * MINUTE)]
    assert all(price is not None for price in prices)
    assert prices == sorted(prices, key=lambda price: price or 0)
    assert prices[-1] == 400
    assert last(feed, OPEN + 3 * DAY) == 400, "Saturday"
    assert history(feed, Resolution.WEEK, OPEN + 3 * DAY) == weeks[:1]
    assert last(feed, OPEN + 5 * DAY) == 100


def test_D02_where_fine_bars_end_coarser_ones_go_on(store: BarStore, replay: Callable[..., ReplayFeed]) -> None:
    put(store, Resolution.MINUTE_30, [bar(OPEN + number * 30 * MINUTE, 100 + number) for number in range(13)], NEW_YORK)
    put(store, Resolution.MINUTE_1, [bar(OPEN + minute * MINUTE, 10) for minute in range(30)], NEW_YORK)
    feed = replay()
    assert [last(feed, OPEN + time * MINUTE) for time in (0, 29, 30, 60)] == [10, 10, 101, 102]
    stored = served(store, Resolution.MINUTE_60)
    assert history(feed, Resolution.MINUTE_60, OPEN + DAY // 2) == stored


def test_D02_a_bar_that_began_before_the_opening_is_part_of_its_day(
    store: BarStore, replay: Callable[..., ReplayFeed]
) -> None:
    hours = [bar(OPEN - 30 * MINUTE + number * HOUR, 10 + number) for number in range(8)]
    put(store, Resolution.MINUTE_60, hours, NEW_YORK)
    feed = replay()
    feed.prepare([NEW_YORK], WALL)
    assert last(feed, OPEN) is not None
    end = OPEN + 390 * MINUTE
    assert history(feed, Resolution.DAY, end) == served(store, Resolution.DAY)
    assert history(feed, Resolution.MINUTE_60, end)[:7] == served(store, Resolution.MINUTE_60)[:7]


def test_D02_bars_after_hours_are_told_too(store: BarStore, replay: Callable[..., ReplayFeed]) -> None:
    late = OPEN + 400 * MINUTE
    put(store, Resolution.MINUTE_1, [bar(OPEN, 10), bar(late, 70)], NEW_YORK)
    feed = replay()
    assert [last(feed, late + time) for time in (-1, 0, MINUTE)] == [11, 70, 71]
    assert history(feed, Resolution.MINUTE_1, late + MINUTE) == served(store, Resolution.MINUTE_1)
    (day,) = history(feed, Resolution.DAY, late + MINUTE)
    assert day.high == 12 * 10**day.price_scale


def test_D02_a_new_import_is_played_from_the_next_session_on(
    store: BarStore, replay: Callable[..., ReplayFeed]
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN, 10)], NEW_YORK)
    feed = replay()
    assert last(feed, OPEN) == 10
    put(store, Resolution.MINUTE_1, [bar(OPEN + HOUR, 20), bar(OPEN + DAY, 30)], NEW_YORK)
    assert last(feed, OPEN + HOUR) == 11
    assert last(feed, OPEN + DAY) == 30


def test_D02_without_a_start_it_begins_with_the_oldest_bar_whatever_is_imported_later(
    store: BarStore, replay: Callable[..., ReplayFeed]
) -> None:
    other = replace(NEW_YORK, name="OLD")
    feed = replay(settings(None), NEW_YORK, other)
    assert feed.moment(WALL) == 0, "there is nothing to play yet"
    put(store, Resolution.MINUTE_1, [bar(OPEN + MINUTE)], NEW_YORK)
    feed.prepare([NEW_YORK], WALL)
    assert feed.moment(WALL) == OPEN + MINUTE
    put(store, Resolution.DAY, [bar(at("2020-01-02T00:00"))], other)
    assert replay(settings(None), NEW_YORK, other).moment(WALL + 5) == OPEN + MINUTE + 5
    days = replay(settings(None, seed=2), NEW_YORK, other)
    assert days.moment(WALL) == at("2020-01-02T14:30"), "the opening of the day"


def test_D02_the_next_day_is_read_before_it_begins(
    store: BarStore, replay: Callable[..., ReplayFeed], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN), bar(OPEN + DAY, 77)], NEW_YORK)
    feed, wall = replay(), WALL + DAY - 5000
    feed.prepare([NEW_YORK], wall)
    assert feed.ready([NEW_YORK], wall)
    wait_until(lambda: feed.ready([NEW_YORK], WALL + DAY), what="the next day to be read")
    monkeypatch.setattr(BarStore, "series", lambda *_: pytest.fail("the store was read"))
    quote = feed.quote(NEW_YORK, OPEN + DAY)
    assert quote is not None
    assert quote.last == 77 * 10**quote.price_scale


def test_D02_a_leap_of_a_few_days_tells_every_bar_in_between(
    store: BarStore, replay: Callable[..., ReplayFeed]
) -> None:
    times = [OPEN + day * DAY + minute * MINUTE for day in (0, 1, 2, 5) for minute in range(100)]
    put(store, Resolution.MINUTE_1, [bar(time, 10) for time in times], NEW_YORK)
    feed = replay()
    feed.prepare([NEW_YORK], WALL)
    now = WALL + 5 * DAY + HOUR
    feed.prepare([NEW_YORK], now)
    told = feed.bars(NEW_YORK, Resolution.MINUTE_1, OPEN, feed.moment(now))
    assert [each.time for each in told] == [time for time in times if time <= feed.moment(now)]


def test_D02_memory_is_bounded(
    store: BarStore, replay: Callable[..., ReplayFeed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading_api.modules.datafeed.feed.replay._SPARE", 3)
    put(store, Resolution.MINUTE_1, [bar(OPEN + day * DAY) for day in range(30)], NEW_YORK)
    feed = replay()
    for day in range(30):
        feed.prepare([NEW_YORK], WALL + day * DAY)
        assert feed.tapes_held() <= 3
    for number in range(10):
        feed.prepare([replace(NEW_YORK, name=f"S{number}")], WALL)
    assert feed.symbols_held() <= 3


# --- in a datafeed


class Replayed(Bench):
    """A bench whose clock is that of the wall."""

    def __init__(self, store: BarStore) -> None:
        super().__init__(store, feed_of(store, settings("2024-01-03T14:30:00Z"), AAPL))
        self.now = WALL


def test_D02_quotes_and_bars_of_imported_data_stream_and_history_keeps_up(store: BarStore) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN + minute * MINUTE, 10 + minute) for minute in range(10)], AAPL)

    async def main() -> None:
        bench = Replayed(store)
        asked = await bench.subscribe(quotes("AAPL", "MSFT"), "q")
        topic = await bench.subscribe(bars("AAPL"), "b")
        assert [(data.n, data.s) for _, data in asked.take()] == [("MSFT", "error"), ("AAPL", "ok")]
        told = topic.bars()
        for second in range(0, 190, 7):
            await bench.at(WALL + second * 1000)
            told += topic.bars()
        finished = {each.time: each for each in told}
        assert list(finished) == [OPEN + minute * MINUTE for minute in range(4)]
        stored = {each.time: each for each in served(store, Resolution.MINUTE_1, "AAPL")}
        for time in list(finished)[:-1]:
            assert finished[time].close == stored[time].close
            assert finished[time].volume == stored[time].volume
        assert len(asked.take()) > 20
        await bench.service.shutdown()

    asyncio.run(main())


def test_D02_a_store_that_cannot_be_read_leaves_the_quotes_as_they_were_and_is_told_by_health(
    store: BarStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, Resolution.MINUTE_1, [bar(OPEN), bar(OPEN + DAY, 99)], AAPL)

    async def main() -> None:
        bench = Replayed(store)
        topic = await bench.subscribe(quotes("AAPL"))
        topic.take()

        def broken(_series: BarSeries, **_bounds: object) -> list[ScaledBar]:
            raise StoreError("/secret/path")

        with monkeypatch.context() as patch:
            patch.setattr(BarSeries, "between", broken)
            for second in range(3):
                await bench.at(WALL + DAY + second * 1000)
            assert bench.service.health().status == "degraded"
            assert "secret" not in bench.service.health().message
        assert len(topic.published) <= 1
        topic.take()
        await bench.at(WALL + DAY + 5000)
        assert bench.service.health().status == "ok"
        assert topic.take()[-1][1].v.lp > 90
        await bench.service.shutdown()

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
    said = [record.message for record in caplog.records if "quotes" in record.message]
    assert said == ["quotes stand still until the store can be read: /secret/path", "quotes move again"]


def test_D02_a_datafeed_of_replayed_bars_is_closed_in_good_order(store: BarStore) -> None:
    with closing(feed_of(store)) as feed:
        assert isinstance(LiveFeed(feed).problem, str)


def test_D02_ticks_fall_on_seconds_of_their_bar() -> None:
    path = BarPath(Candle(1, 2, 1, 2, 60), [(0, MINUTE)], 1)
    assert [path.tick(time) for time in (-1, 0, TICK_MS - 1, TICK_MS, MINUTE - 1, MINUTE)] == [0, 0, 0, 1, 59, 59]
