"""Pushed quotes with one side, or none: what the last price is, and that quotes, bars and history agree (D02)."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datafeed_bars import at
from support.datafeed_bench import BTC, CATALOGUE, Bench, bars, quotes

from trading_api.models.market import PushedQuote, QuoteData
from trading_api.modules.datafeed.bars.bar_store import BarStore
from trading_api.modules.datafeed.feed.last_price import LastPrice, with_last
from trading_api.modules.datafeed.feed.manual import ManualFeed
from trading_api.modules.datafeed.feed.pushing import make_ticks
from trading_api.modules.datafeed.feed.tick import Tick
from trading_api.modules.datafeed.feed.tick_store import TickStore
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.bus import MemoryBus

NOW = at("2024-01-03T15:00:00")
MINUTE, DAY = 60_000, 86_400_000
PRICES = st.one_of(st.just(0), st.integers(1, 99))


def pushed(bid: int, ask: int, last: int | None = None, at: int = NOW) -> PushedQuote:
    return PushedQuote(
        symbol="BTCUSD",
        bid=Decimal(bid),
        ask=Decimal(ask),
        last=None if last is None else Decimal(last),
        volume=Decimal(1),
        time=at,
    )


def find(symbol: str) -> Instrument | None:
    return CATALOGUE.get(symbol)


def feed_of(store: BarStore) -> ManualFeed:
    return ManualFeed(TickStore(store.engine), MemoryBus(), find, lambda: NOW)


def told(data: QuoteData) -> tuple[float, ...] | None:
    """lp, bid, ask, spread, ch, high, low and volume; None where there is no quote."""
    values = data.model_dump(mode="json")["v"]
    names = ("lp", "bid", "ask", "spread", "ch", "high_price", "low_price", "volume")
    return tuple(values[name] for name in names) if data.s == "ok" else None


def after(store: BarStore, *pushes: Sequence[PushedQuote]) -> tuple[float, ...] | None:
    """What REST, a stream from the beginning, and a process that comes later tell after all: the same."""

    async def main() -> QuoteData:
        feed = feed_of(store)
        bench = Bench(store, feed)
        topic = await bench.subscribe(quotes("BTCUSD"))
        for push in pushes:
            await bench.service.push(push)
            await bench.at(NOW)
        asked = bench.service.quotes(["BTCUSD"])
        assert topic.take()[-1][1].model_dump(mode="json") == asked[0].model_dump(mode="json")
        later = Bench(store, feed_of(store))
        assert later.service.quotes(["BTCUSD"]) == asked
        for resolution in (Resolution.MINUTE_1, Resolution.DAY):
            live = feed.bars(BTC, resolution, 0, 0)
            assert list(live) == feed.series(BTC, resolution, NOW).between(start=0, end=None, limit=99)
            assert list(live) == feed.series(BTC, resolution, NOW).newest(end=None, limit=99)
        await bench.service.shutdown()
        await later.service.shutdown()
        return asked[0]

    return told(asyncio.run(main()))


@pytest.mark.parametrize(
    ("bid", "ask", "last", "lp"),
    [
        (60_000, 0, None, 60_100),
        (0, 60_500, None, 60_100),
        (60_000, 0, 59_990, 59_990),
        (0, 60_500, 0, 60_100),
        (60_000, 60_500, 0, 60_250),
    ],
)
def test_D02_a_side_of_0_is_none_and_the_last_price_stays(
    store: BarStore, bid: int, ask: int, last: int | None, lp: int
) -> None:
    spread = ask - bid if bid and ask else 0
    found = after(store, [pushed(60_000, 60_200)], [pushed(bid, ask, last)])
    assert found == (lp, bid, ask, spread, lp - 60_100, max(lp, 60_100), min(lp, 60_100), 2)


@pytest.mark.parametrize("sides", [(60_000, 0), (0, 60_000)])
def test_D02_without_a_former_price_one_side_is_the_last(store: BarStore, sides: tuple[int, int]) -> None:
    assert after(store, [pushed(*sides)]) == (60_000, *sides, 0, 0, 60_000, 60_000, 1)


def test_D02_without_sides_the_last_price_stays_and_no_bar_is_touched(store: BarStore) -> None:
    empty = pushed(0, 0, at=NOW + 5 * MINUTE)
    assert after(store, [pushed(60_000, 60_200)], [empty]) == (60_100, 0, 0, 0, 0, 60_100, 60_100, 1)
    (bar,) = feed_of(store).series(BTC, Resolution.MINUTE_1, NOW).newest(end=None, limit=9)
    assert bar.time == NOW


def test_D02_what_never_had_a_price_has_no_quote_and_no_bar(store: BarStore) -> None:
    assert after(store, [pushed(0, 0)]) is None
    assert feed_of(store).series(BTC, Resolution.DAY, NOW).newest(end=None, limit=9) == []
    assert after(store, [pushed(0, 7)]) == (7, 0, 7, 0, 0, 7, 7, 1)


def test_D02_a_trade_without_sides_is_one(store: BarStore) -> None:
    assert after(store, [pushed(0, 0, 5)]) == (5, 0, 0, 0, 0, 5, 5, 1)


def test_D02_a_last_price_of_months_ago_is_found(store: BarStore) -> None:
    old = [pushed(100, 102, at=NOW - 70 * DAY), pushed(0, 0, at=NOW - 60 * DAY)]
    assert after(store, old, [pushed(0, 0)]) == (101, 0, 0, 0, 0, 101, 101, 1)
    assert after(store, [pushed(90, 0)]) == (101, 90, 0, 0, 0, 101, 101, 1)


def test_D02_bars_over_the_stream_are_those_of_history(store: BarStore) -> None:
    async def main() -> None:
        bench = Bench(store, feed_of(store))
        topic = await bench.subscribe(bars("BTCUSD"))
        for minute, sides in enumerate([(10, 12), (0, 0), (9, 0), (0, 0), (0, 14)]):
            await bench.service.push([pushed(*sides, at=NOW + minute * MINUTE)])
            await bench.at(NOW)
        assert [(bar.time, bar.close) for bar in topic.bars()] == [(NOW + n * MINUTE, Decimal(11)) for n in (0, 2, 4)]
        await bench.service.shutdown()

    asyncio.run(main())


def test_D02_sides_that_are_there_may_not_cross() -> None:
    _, problems = make_ticks([pushed(9, 0), pushed(0, 9), pushed(0, 0), pushed(9, 8), pushed(9, 9)], find, NOW)
    assert [(each.place, each.message) for each in problems] == [(3, "9 is above the ask 8")]


@given(st.lists(st.tuples(PRICES, PRICES, PRICES), max_size=12), st.integers(0, 99))
def test_D02_the_last_price_is_missing_only_where_nothing_tells_one(
    found: list[tuple[int, int, int]], known: int
) -> None:
    ticks = [Tick("A", NOW, 0, bid, ask, last, 0, 1) for bid, ask, last in found]
    former = known
    for before, tick in zip(ticks, with_last(ticks, {"A": LastPrice(known, 0)} if known else {}), strict=True):
        assert tick._replace(last=0) == before._replace(last=0)
        if before.last or not (before.bid or before.ask):
            assert tick.last == before.last
        else:
            assert tick.last == (former or before.bid or before.ask)
        former = tick.last or former


@pytest.mark.parametrize(
    ("last", "scale", "kept"),
    [((123_456, 4), 2, 1234), ((1234, 2), 4, 123_400), ((1, 4), 2, 7), ((10**17, 0), 2, 7)],
)
def test_D02_a_last_price_is_told_by_the_price_step_of_now_where_that_has_room_for_it(
    last: tuple[int, int], scale: int, kept: int
) -> None:
    (tick,) = with_last([Tick("A", NOW, scale, 7, 0, 0, 0, 1)], {"A": LastPrice(*last)})
    assert tick.last == kept


def test_D02_the_last_price_of_another_symbol_is_another() -> None:
    one, other = Tick("A", NOW, 0, 5, 6, 5, 0, 1), Tick("B", NOW, 0, 0, 9, 0, 0, 1)
    assert [tick.last for tick in with_last([one, other, other._replace(symbol="A")], {})] == [5, 9, 5]
