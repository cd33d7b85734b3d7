"""What topics of quotes and bars are told, and when; by a clock that the tests move."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.datafeed_bars import put
from support.datafeed_bench import (
    AAPL,
    BTC,
    CATALOGUE,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    SIMULATOR,
    Bench,
    bars,
    ms,
    quotes,
    run,
)

from trading_api.models.market import Bar, BarsSubscription, QuoteData, QuoteValues
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.source import MAX_MISSED
from trading_api.modules.datafeed.feed.spans import span_after, span_at
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.wire import live_bar
from trading_api.shared.ws import TopicRefused

# No file is there, and reading makes none.
EMPTY = open_store("sqlite:////nowhere/trading.db")


def history(resolution: Resolution, start: int, end: int) -> list[Bar]:
    """The bars that begin between two instants, in their final state."""
    schedule = Schedule.of(BTC)

    def spans() -> Iterator[ScaledBar]:
        span = span_at(schedule, resolution, start)
        while span.start < end:
            yield SIMULATOR.bar(BTC, span, span.end)
            span = span_after(schedule, resolution, span)

    return [live_bar(bar) for bar in spans()]


def test_D01_every_quote_comes_at_once_spelt_as_it_was_asked_for(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(quotes("btcusd", "NOPE", slow=("NASDAQ:AAPL", "btcusd")))
        told = dict(topic.published)
        assert len(topic.published) == 3
        assert {key: data.n for key, data in told.items()} == {key: key for key in ("btcusd", "NOPE", "NASDAQ:AAPL")}
        assert told["NOPE"].model_dump(mode="json") == {"s": "error", "n": "NOPE", "v": {}}
        assert told["btcusd"].v.short_name == "BTCUSD"
        assert told["NASDAQ:AAPL"].v.original_name == "NASDAQ:AAPL"

    run(store, test)


def test_D01_fast_symbols_are_told_as_they_change_and_slow_ones_once_a_minute(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(quotes("BTCUSD", slow=("AAPL", "BTCUSD", "NO")))
        topic.take()
        keys = []
        for second in range(1, 111):
            await bench.at(NOW + second * SECOND)
            keys += [(key, second) for key, _ in topic.take()]
        assert [second for key, second in keys if key == "AAPL"] == [50, 110], "at the next whole minutes"
        assert len([key for key, _ in keys if key == "BTCUSD"]) == 110, "in both lists: fast"
        assert not [key for key, _ in keys if key == "NO"], "an error is told once"

    run(store, test)


def test_D01_what_does_not_change_is_not_told(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        bench.now = ms("2026-03-21T12:00:00")
        topics = [await bench.subscribe(quotes("AAPL", slow=("MSFT",)), "q"), await bench.subscribe(bars("AAPL"), "b")]
        assert [len(topic.take()) for topic in topics] == [2, 1], "the last ones before the weekend"
        for _ in range(120):
            await bench.at(bench.now + MINUTE)
        assert [topic.take() for topic in topics] == [[], []]

    run(store, test)


def test_D01_two_topics_get_the_same_quote_looked_up_once(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        first = await bench.subscribe(quotes("BTCUSD"), "a")
        second = await bench.subscribe(quotes("btcusd"), "b")
        first.take(), second.take()
        await bench.at(NOW + SECOND)
        (_, one), (_, other) = first.take()[0], second.take()[0]
        assert one.v == other.v
        assert (one.n, other.n) == ("BTCUSD", "btcusd")

    run(store, test)


def test_D01_the_current_bar_comes_at_once_then_as_it_changes(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(bars("BTCUSD"))
        (bar,) = topic.bars()
        assert bar.time == ms("2026-03-18T15:00:00")
        await bench.at(NOW + SECOND)
        (later,) = topic.bars()
        assert (later.time, later.open) == (bar.time, bar.open)
        assert later.volume > bar.volume
        await bench.at(NOW + SECOND)
        assert topic.bars() == []

    run(store, test)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-90, 400), min_size=1, max_size=30), st.sampled_from(["1", "3", "60", "1D"]))
def test_D02_what_streams_equals_what_history_then_returns(steps: list[int], resolution: str) -> None:
    """Whatever the clock does: ascending, and of every bar that was followed by another the final state came last."""

    async def test(bench: Bench) -> None:
        bench.now = ms("2026-03-18T23:50:10")
        topic = await bench.subscribe(bars("BTCUSD", resolution))
        begun = bench.now
        for step in steps:
            await bench.at(bench.now + step * SECOND)
        told = topic.bars()
        times = [bar.time for bar in told]
        assert times == sorted(times)
        last = {bar.time: bar for bar in told}
        newest = max(last)
        streamed = [bar for time, bar in last.items() if time < newest]
        assert streamed == [bar for bar in history(Resolution(resolution), begun, newest) if bar.time < newest]

    run(EMPTY, test)


def test_D02_a_clock_that_is_set_back_is_waited_for(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(bars("BTCUSD"))
        topic.take()
        await bench.at(NOW - HOUR)
        await bench.at(NOW - SECOND)
        assert topic.take() == []
        await bench.at(NOW + SECOND)
        assert len(topic.take()) == 1

    run(store, test)


def test_D02_bars_that_wait_for_the_clock_for_more_than_a_minute_are_told_of_once(
    store: BarStore, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(bench: Bench) -> None:
        topics = [await bench.subscribe(bars(symbol), symbol) for symbol in ("BTCUSD", "AAPL")]
        await bench.at(NOW + HOUR)
        await bench.at(NOW + HOUR - MINUTE)
        assert said() == [], "a minute is waited for in silence"
        for second in range(3):
            await bench.at(NOW + second * SECOND)
        assert said() == [
            "the clock was set back: live bars stand still for the 3600 s until it has caught up; "
            "a restart lets them go on at once"
        ]
        await bench.at(NOW + HOUR + SECOND)
        assert said()[1:] == ["the clock has caught up; live bars move again"]
        await bench.at(NOW)
        assert len(said()) == 3, "each time anew"
        for topic in topics:
            await bench.unsubscribe(topic)
        await bench.subscribe(bars("BTCUSD"), "later")
        await bench.at(NOW + SECOND)
        assert len(said()) == 3, "who comes later waits for nothing"

    def said() -> list[str]:
        return [record.getMessage() for record in caplog.records if "the clock" in record.getMessage()]

    with caplog.at_level("INFO"):
        run(store, test)


def test_D02_quotes_do_not_wait_for_the_clock(store: BarStore, caplog: pytest.LogCaptureFixture) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(quotes("BTCUSD"))
        topic.take()
        await bench.at(NOW - HOUR)
        assert len(topic.take()) == 1

    run(store, test)
    assert "the clock" not in caplog.text


def test_D02_a_clock_that_leaps_ahead_by_years_does_not_hang_the_server(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(bars("BTCUSD"))
        await bench.at(NOW + 20 * 365 * 24 * HOUR)
        told = topic.bars()
        assert len(told) <= MAX_MISSED + 2
        assert told[-1].time == bench.now // MINUTE * MINUTE

    run(store, test)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (bars("NOPE"), "Symbol not found: 'NOPE'; GET /datafeed/search lists those that there are."),
        (bars("NYSE:AAPL"), "Symbol not found: 'NYSE:AAPL'; "),
        (bars("BTCUSD", "7"), "unknown resolution '7': use one of 1, 3, 5, 15, 30, 60, 120, 240, 1D, 1W, 1M"),
        (bars("BTCUSD", "1S"), "unknown resolution '1S'"),
    ],
)
def test_W04_bars_that_cannot_be_streamed_are_refused(store: BarStore, request_: BarsSubscription, reason: str) -> None:
    async def test(bench: Bench) -> None:
        with pytest.raises(TopicRefused) as refused:
            await bench.subscribe(request_)
        assert refused.value.reason.startswith(reason)

    assert run(store, test).slept == [], "nothing was started"


def test_D02_imported_bars_are_not_continued_by_simulated_ones(store: BarStore) -> None:
    put(store, Resolution.DAY, [ScaledBar(0, 0, 1, 1, 1, 1, 0, 1)], AAPL)

    async def test(bench: Bench) -> None:
        with pytest.raises(TopicRefused, match=r"AAPL has imported bars, .* feed\.kind: replay streams"):
            await bench.subscribe(bars("AAPL"))
        topic = await bench.subscribe(quotes("AAPL"))
        assert topic.published[0][1].s == "ok", "quotes are simulated for every symbol"

    run(store, test)


def test_W04_a_store_that_cannot_be_read_refuses_without_its_path(
    store: BarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_self: BarStore, _symbol: str) -> tuple[Resolution, ...]:
        raise StoreError("/secret/path")

    monkeypatch.setattr(BarStore, "resolutions_of", unreadable)

    async def test(bench: Bench) -> None:
        with pytest.raises(TopicRefused, match=r"^The bar store cannot be read at the moment; try again later\.$"):
            await bench.subscribe(bars("BTCUSD"))

    run(store, test)


def test_W03_the_feed_sleeps_only_while_somebody_listens(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        assert bench.slept == []
        first = await bench.subscribe(bars("BTCUSD"), "a")
        second = await bench.subscribe(bars("BTCUSD", "5"), "b")
        await asyncio.sleep(0)
        assert bench.slept == [1.0], "one task, until the next whole second"
        await bench.unsubscribe(first)
        assert len(asyncio.all_tasks()) == 2
        await bench.unsubscribe(second)
        assert len(asyncio.all_tasks()) == 1
        first.take(), second.take()
        await bench.at(NOW + MINUTE)
        assert first.take() + second.take() == []
        again = await bench.subscribe(bars("BTCUSD"), "a")
        assert len(again.take()) == 1
        assert len(asyncio.all_tasks()) == 2

    run(store, test)


def test_W03_the_feed_wakes_on_whole_seconds_and_tells(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        bench.now = NOW + 250
        topic = await bench.subscribe(quotes("BTCUSD"))
        topic.take()
        await asyncio.sleep(0)
        assert bench.slept == [0.75]
        bench.now = NOW + SECOND
        assert bench.waiting is not None
        bench.waiting.set_result(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [key for key, _ in topic.take()] == ["BTCUSD"]

    run(store, test)


def test_W05_a_stream_that_fails_ends_no_other_and_is_logged_once(
    store: BarStore, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(bench: Bench) -> None:
        broken = await bench.subscribe(quotes("BTCUSD"), "broken")
        sound = await bench.subscribe(quotes("BTCUSD"), "sound")
        sound.take()
        broken.failing = True
        for second in range(1, 4):
            await bench.at(NOW + second * SECOND)
        assert len(sound.take()) == 3
        broken.failing = False
        broken.take()
        await bench.at(NOW + 4 * SECOND)
        assert len(broken.take()) == 1

    run(store, test)
    assert [record.message for record in caplog.records].count(
        "the stream broken failed; it is tried again every second"
    ) == 1


def test_D01_rest_quotes_are_those_that_stream(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(quotes("btcusd", "ES"))
        answer = bench.service.quotes(["ES", "zz", "btcusd", "ES"])
        assert [quote.n for quote in answer] == ["ES", "zz", "btcusd", "ES"]
        told = dict(topic.take())
        assert [quote for quote in answer if quote.s == "ok"] == [told["ES"], told["btcusd"], told["ES"]]
        assert answer[1].s == "error"

    run(store, test)


def test_D01_the_numbers_of_a_quote_agree(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        for quote in bench.service.quotes(list(CATALOGUE)):
            values = quote.v
            assert isinstance(values, QuoteValues)
            assert values.spread == values.ask - values.bid
            assert values.ch == values.lp - values.prev_close_price
            assert abs(values.chp - 100 * values.ch / values.prev_close_price) <= 0.005
            assert QuoteData.model_validate_json(quote.model_dump_json()) == quote, "what was built is valid"

    run(store, test)


def test_D01_a_live_bar_is_a_valid_bar() -> None:
    span = span_at(Schedule.of(AAPL), Resolution.MINUTE_5, NOW)
    bar = live_bar(SIMULATOR.bar(AAPL, span, NOW))
    assert Bar.model_validate_json(bar.model_dump_json()) == bar


def test_D01_a_symbol_whose_price_step_is_no_decimal_has_no_quote(
    store: BarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(bench: Bench) -> None:
        third = replace(AAPL, pricescale=3)
        monkeypatch.setattr(type(bench.service.directory), "find", lambda _self, _symbol: third)
        assert bench.service.quotes(["AAPL"])[0].s == "error"
        with pytest.raises(TopicRefused, match="AAPL has no live bars: the feed tells no quotes of it"):
            await bench.subscribe(bars("AAPL"))

    run(store, test)
