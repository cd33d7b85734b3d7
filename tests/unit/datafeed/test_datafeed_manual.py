"""The pushed feed: what is stored, in which order, and who is told when (D02)."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from support.datafeed_bars import at
from support.datafeed_bench import AAPL, BTC, CATALOGUE, Bench, bars, quotes

from trading_api.models.market import PushedQuote
from trading_api.modules.datafeed.bar_time import ms_text
from trading_api.modules.datafeed.bars.bar_store import BarStore
from trading_api.modules.datafeed.bars.history import RangeError
from trading_api.modules.datafeed.feed import pushed_market, pushed_series, tick_store
from trading_api.modules.datafeed.feed.manual import BUS_LOST, SUBJECT, ManualFeed
from trading_api.modules.datafeed.feed.pushed_market import PushedMarket
from trading_api.modules.datafeed.feed.pushing import AHEAD_MS, PushError, make_ticks
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.tick import Tick
from trading_api.modules.datafeed.feed.tick_bars import Slots, ascending_bars, descending_bars
from trading_api.modules.datafeed.feed.tick_store import TickOrderError, TickStore
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.service import NotManualError
from trading_api.modules.datafeed.unknown_symbol import not_found_text
from trading_api.shared.bus import MemoryBus

NOW = at("2024-01-03T15:00:00")
"""A Wednesday morning in New York."""
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


def pushed(symbol: str = "AAPL", bid: object = "190.01", ask: object = "190.03", **more: Any) -> PushedQuote:
    return PushedQuote(symbol=symbol, bid=Decimal(str(bid)), ask=Decimal(str(ask)), **more)


def tick(time: int, price: int = 19_000, symbol: str = "AAPL", volume: int = 1) -> Tick:
    return Tick(symbol, time, 2, price - 1, price + 1, price, 4, volume)


# --- what is refused


@pytest.mark.parametrize(
    ("quote", "field", "message"),
    [
        (pushed("NOPE"), "symbol", "Symbol not found: 'NOPE'; GET /datafeed/search lists those that there are."),
        (pushed("NYSE:AAPL"), "symbol", not_found_text("NYSE:AAPL")),
        (pushed(bid="190.04"), "bid", "190.04 is above the ask 190.03"),
        (pushed(bid="190.011"), "bid", "190.011 is not on the price step 0.01"),
        (pushed(ask="190.0301"), "ask", "190.0301 is not on the price step 0.01"),
        (pushed(last=Decimal("190.015")), "last", "190.015 is not on the price step 0.01"),
        (pushed("ES", bid="5000.10", ask="5000.25"), "bid", "5000.10 is not on the price step 0.25"),
        (pushed(ask=Decimal(10) ** 20), "ask", "100000000000000000000 is out of range"),
        (pushed(volume=Decimal("0.00001")), "volume", "0.00001 is not on the quantity step 0.0001"),
        (pushed(volume=Decimal(10) ** 15), "volume", "1000000000000000 is out of range"),
        (pushed(time=10**15), "time", "not within the years 1801 to 2199"),
        (pushed(time=-(10**14)), "time", "not within the years 1801 to 2199"),
        (
            pushed(time=NOW + AHEAD_MS + 1),
            "time",
            f"{ms_text(NOW + AHEAD_MS + 1)} is more than 5 minutes ahead of the clock, {ms_text(NOW)}",
        ),
    ],
)
def test_D02_a_quote_that_makes_no_sense_is_refused(quote: PushedQuote, field: str, message: str) -> None:
    ticks, problems = make_ticks([pushed(), quote], _find, NOW)
    assert [(each.place, each.field, each.message) for each in problems] == [(1, field, message)]
    assert list(ticks) == [0]


def _find(symbol: str) -> Any:
    exchange, _, name = symbol.upper().rpartition(":")
    found = CATALOGUE.get(name)
    return found if found and exchange in {"", found.exchange} else None


def test_D02_every_problem_is_named_at_once_and_nothing_is_stored(store: BarStore) -> None:
    feed = feed_of(store)
    TickStore(store.engine).append([tick(NOW)], frozenset())
    wrong = [pushed("NOPE"), pushed(time=1), pushed(bid="9.999", ask="1.111"), pushed()]
    with pytest.raises(PushError) as refused:
        asyncio.run(feed.push(wrong))
    named = [(each.place, each.field) for each in refused.value.problems]
    assert named == [(0, "symbol"), (1, "time"), (2, "bid"), (2, "ask"), (2, "bid")]
    assert TickStore(store.engine).newest() == 1


def test_D02_a_symbol_whose_price_step_is_no_decimal_cannot_be_pushed() -> None:
    _, (problem,) = make_ticks([pushed()], lambda _symbol: replace(AAPL, pricescale=3), NOW)
    assert problem.message == "the price step of AAPL is no decimal number"


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.sampled_from(sorted(CATALOGUE)))
def test_D02_without_a_last_price_it_is_the_middle_on_tick(number: int, width: int, symbol: str) -> None:
    step = CATALOGUE[symbol].tick
    ticks, _ = make_ticks([pushed(symbol, number * step, (number + width) * step)], _find, NOW)
    made = ticks[0]
    assert made.bid <= made.last <= made.ask
    assert (Decimal(made.last).scaleb(-made.price_scale) / step) % 1 == 0
    assert abs((made.last - made.bid) - (made.ask - made.last)) <= step * 10**made.price_scale
    assert made.time == NOW


def test_D02_numbers_are_kept_exactly() -> None:
    assert make_ticks([pushed(time=NOW + AHEAD_MS)], _find, NOW)[1] == [], "a test may be a little ahead"
    quote = pushed("btcusd", "0.29", "0.30", last=Decimal("0.29"), volume=Decimal("0.1234"), time=1)
    ticks, _ = make_ticks([quote], _find, NOW)
    assert ticks == {0: Tick("BTCUSD", 1000, 2, 29, 30, 29, 4, 1234)}


# --- what is stored


def test_D02_time_never_goes_back_and_nothing_is_stored_of_what_does(store: BarStore) -> None:
    ticks = TickStore(store.engine)
    assert ticks.append([tick(NOW), tick(NOW)], frozenset()) == 2
    with pytest.raises(TickOrderError) as late:
        ticks.append([tick(NOW + 1), tick(NOW - 1), tick(NOW, symbol="ES"), tick(NOW)], frozenset())
    assert late.value.late == {1: NOW + 1, 3: NOW + 1}
    assert ticks.newest() == 2


def test_D02_a_quote_without_a_time_moves_up_when_the_clock_was_set_back(store: BarStore) -> None:
    ticks = TickStore(store.engine)
    ticks.append([tick(NOW)], frozenset())
    ticks.append([tick(NOW - HOUR)], frozenset({0}))
    assert [stored.tick.time for stored in ticks.after(0)] == [NOW, NOW]


def test_D02_numbers_count_the_order_in_which_it_was_stored(store: BarStore) -> None:
    """Four at once: each batch stays together, and no number becomes visible after a higher one."""
    ticks, ready = TickStore(store.engine), threading.Barrier(4)

    def append(symbol: str) -> None:
        ready.wait()
        for number in range(5):
            ticks.append([tick(NOW + number, symbol=symbol), tick(NOW + number, symbol=symbol)], frozenset())

    threads = [threading.Thread(target=append, args=(symbol,)) for symbol in "ABCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = list(ticks.after(0))
    assert [each.seq for each in stored] == list(range(1, 41))
    assert all(one.tick == other.tick for one, other in zip(stored[::2], stored[1::2], strict=True))


def test_D02_many_ticks_are_read_page_by_page(store: BarStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick_store, "_PAGE", 7)
    ticks = TickStore(store.engine)
    ticks.append([tick(NOW + n, symbol="ABC"[n % 3]) for n in range(50)], frozenset())
    assert [each.seq for each in ticks.after(0)] == list(range(1, 51))
    assert [each.seq for each in ticks.after(10, symbol="A", since=NOW + 20)] == [*range(22, 51, 3)]
    assert [each.seq for each in ticks.before("B", 44)] == [*range(44, 0, -3)]
    assert list(ticks.before("Z", 50)) == []


def test_D02_a_store_that_is_not_there_has_no_ticks(store: BarStore) -> None:
    ticks = TickStore(store.engine)
    assert (ticks.newest(), list(ticks.after(0)), list(ticks.before("A", 9))) == (0, [], [])


# --- bars of ticks


@given(st.lists(st.tuples(st.integers(0, 5 * HOUR), st.integers(1, 50)), min_size=1, max_size=60))
def test_D02_bars_of_ticks_are_the_same_from_either_end(found: list[tuple[int, int]]) -> None:
    ticks = [tick(NOW + 4 * HOUR + time, price) for time, price in sorted(found)]
    for resolution in (Resolution.MINUTE_1, Resolution.MINUTE_30, Resolution.DAY, Resolution.MONTH):
        forwards = list(ascending_bars(ticks, Slots(Schedule.of(AAPL), resolution)))
        backwards = list(descending_bars(reversed(ticks), Slots(Schedule.of(AAPL), resolution)))
        assert forwards == backwards[::-1]
        inside = [each for each in ticks if each.time < at("2024-01-03T21:00:00")]
        assert sum(bar.volume for bar in forwards) == len(inside)
        if inside and resolution is Resolution.DAY:
            (bar,) = forwards
            prices = [each.last for each in inside]
            assert bar[2:6] == (prices[0], max(prices), min(prices), prices[-1])


def test_D02_ticks_of_another_precision_make_one_exact_bar() -> None:
    ticks = [tick(NOW, 19_000), Tick("AAPL", NOW + 1, 4, 1, 1, 1_900_001, 0, 3)]
    (bar,) = ascending_bars(ticks, Slots(Schedule.of(AAPL), Resolution.MINUTE_1))
    assert bar[1:] == (4, 1_900_000, 1_900_001, 1_900_000, 1_900_001, 4, 30_001)


def test_D02_what_is_remembered_of_a_symbol_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_market, "_MINUTES_KEPT", 10)
    market = PushedMarket(BTC)
    for minute in range(100):
        market.take(tick(NOW + minute * MINUTE))
    told = market.bars(Resolution.MINUTE_1, NOW)
    assert 10 <= len(told) <= 20
    assert told[-1].time == NOW + 99 * MINUTE


def test_D02_a_range_of_too_many_ticks_is_refused(store: BarStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_series, "MAX_TICKS", 5)
    feed = feed_of(store)
    TickStore(store.engine).append([tick(NOW + n) for n in range(6)], frozenset())
    series = feed.series(AAPL, Resolution.DAY, NOW)
    with pytest.raises(RangeError, match="more than 5 pushed quotes"):
        series.newest(end=None, limit=1)
    with pytest.raises(RangeError, match="more than 5 pushed quotes"):
        series.between(start=0, end=None, limit=1)


# --- who is told, and when


def feed_of(store: BarStore, bus: MemoryBus | None = None) -> ManualFeed:
    return ManualFeed(TickStore(store.engine), bus or MemoryBus(), _find, lambda: NOW)


class Pushed(Bench):
    """A bench with a feed that is pushed."""

    def __init__(self, store: BarStore, bus: MemoryBus | None = None) -> None:
        self.manual = feed_of(store, bus)
        super().__init__(store, self.manual)
        self.now = NOW

    async def settle(self) -> None:
        """Until what was woken has run."""
        async with asyncio.timeout(60):
            while self.feed.woken:
                await asyncio.sleep(0.001)
            # A step that has begun is no longer due, but may still be reading.
            async with self.feed._stepping:
                pass


def run(store: BarStore, test: Callable[[Pushed], Awaitable[None]], bus: MemoryBus | None = None) -> None:
    async def main() -> None:
        bench = Pushed(store, bus)
        await bench.service.startup()
        await test(bench)
        await bench.service.shutdown()

    asyncio.run(main())


def test_D02_a_pushed_quote_is_told_at_once(store: BarStore) -> None:
    async def test(bench: Pushed) -> None:
        asked = await bench.subscribe(quotes("aapl", slow=("ES",)), "q")
        topic = await bench.subscribe(bars("AAPL"), "b")
        assert [data.s for _, data in asked.take()] == ["error", "error"], "there is none yet"
        assert topic.bars() == []
        await bench.service.push([pushed(volume=Decimal(2)), pushed("ES", 5000, 5001)])
        await bench.settle()
        ((key, data),) = asked.take()
        assert (key, data.s, data.v.bid) == ("aapl", "ok", Decimal("190.01"))
        assert [(bar.time, bar.volume) for bar in topic.bars()] == [(NOW, Decimal(2))]
        await bench.at(NOW + MINUTE)
        assert [key for key, _ in asked.take()] == ["ES"], "slow ones a minute later"

    run(store, test)


def test_D02_a_subscriber_that_comes_later_gets_the_current_quote_at_once(store: BarStore) -> None:
    async def test(bench: Pushed) -> None:
        await bench.service.push([pushed()])
        (told,) = (await bench.subscribe(quotes("AAPL"))).take()
        assert told[1].v.lp == Decimal("190.02")

    run(store, test)


def test_D02_what_one_instance_stored_another_answers_with_at_the_next_question(store: BarStore) -> None:
    async def test(bench: Pushed) -> None:
        other = Pushed(store)
        for number in range(1, 4):
            await bench.service.push([pushed(ask=190 + number)])
            (answer,) = await asyncio.to_thread(other.service.quotes, ["AAPL"])
            assert answer.model_dump()["v"]["ask"] == 190 + number
        await other.service.shutdown()

    run(store, test)


def test_D02_the_bus_wakes_the_streams_of_other_instances(store: BarStore) -> None:
    bus = MemoryBus()

    async def test(bench: Pushed) -> None:
        topic = await bench.subscribe(quotes("AAPL"))
        topic.take()
        await asyncio.to_thread(TickStore(store.engine).append, [tick(NOW)], frozenset())
        await bus.publish(SUBJECT, b"1")
        async with asyncio.timeout(60):
            while not topic.published:
                await asyncio.sleep(0.001)

    run(store, test, bus)


def test_D02_without_the_bus_streams_find_it_at_the_next_second_and_health_says_so(store: BarStore) -> None:
    bus = MemoryBus()

    async def test(bench: Pushed) -> None:
        topic = await bench.subscribe(quotes("AAPL"))
        topic.take()
        assert bench.service.health().status == "ok"
        await bus.close()
        assert (bench.service.health().status, bench.service.health().message) == ("degraded", BUS_LOST)
        await asyncio.to_thread(TickStore(store.engine).append, [tick(NOW)], frozenset())
        await bench.at(NOW + SECOND)
        assert len(topic.take()) == 1
        await bench.service.push([pushed(bid=1)])
        await bench.settle()
        assert len(topic.take()) == 1, "its own are told at once"

    run(store, test, bus)


def test_D02_many_pushes_at_once_wake_once_and_none_is_missed(store: BarStore) -> None:
    async def test(bench: Pushed) -> None:
        topic = await bench.subscribe(bars("AAPL", "1D"))
        await asyncio.gather(*(bench.service.push([pushed(volume=Decimal(1))]) for _ in range(20)))
        await bench.settle()
        assert topic.bars()[-1].volume == 20

    run(store, test)


def test_D02_several_bars_pushed_in_one_go_are_all_told(store: BarStore) -> None:
    async def test(bench: Pushed) -> None:
        topic = await bench.subscribe(bars("AAPL"))
        await bench.service.push(
            [pushed(bid=100 + n, ask=101 + n, time=(NOW + n * 20 * SECOND) // 1000) for n in range(9)]
        )
        await bench.settle()
        assert [(bar.time, bar.open, bar.close) for bar in topic.bars()] == [
            (NOW + n * MINUTE, Decimal("100.5") + 3 * n, Decimal("102.5") + 3 * n) for n in range(3)
        ]

    run(store, test)


def test_D02_a_symbol_is_the_same_whether_it_was_watched_or_is_looked_up_later(store: BarStore) -> None:
    async def test(bench: Pushed) -> None:
        await bench.subscribe(quotes("BTCUSD"))
        times = [NOW - 40 * DAY, NOW - DAY, NOW - HOUR, NOW]
        await bench.service.push([pushed("BTCUSD", 100 + n, 102 + n, time=time) for n, time in enumerate(times)])
        await bench.settle()
        late = feed_of(store)
        await asyncio.to_thread(late.prepare, [BTC], NOW)
        assert late.quote(BTC, 0) == bench.manual.quote(BTC, 0)
        for resolution in Resolution:
            assert late.bars(BTC, resolution, None, 0) == bench.manual.bars(BTC, resolution, None, 0)
        quote = late.quote(BTC, 0)
        assert quote is not None
        assert quote.previous_close == 10_200

    run(store, test)


def test_D02_a_feed_of_another_kind_takes_no_quotes(store: BarStore) -> None:
    async def main() -> None:
        bench = Bench(store)
        with pytest.raises(NotManualError):
            await bench.service.push([pushed()])
        await bench.service.shutdown()

    asyncio.run(main())


def test_D02_a_store_that_fails_stores_nothing_and_streams_go_on(
    store: BarStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(bench: Pushed) -> None:
        topic = await bench.subscribe(quotes("AAPL"))
        await bench.service.push([pushed()])
        await bench.settle()
        topic.take()
        with monkeypatch.context() as patch:
            patch.setattr(Engine, "connect", _broken)
            with pytest.raises(RuntimeError, match="broken"):
                await bench.service.push([pushed(bid=1)])
            await bench.at(NOW + SECOND)
            assert bench.service.health().status == "degraded"
        await bench.at(NOW + 2 * SECOND)
        assert (topic.take(), bench.service.health().status) == ([], "ok")

    run(store, test)
    assert [record.levelno for record in caplog.records if "stand still" in record.message] == [logging.ERROR]


def _broken(_engine: Engine, *_args: object) -> None:
    raise RuntimeError("broken")
