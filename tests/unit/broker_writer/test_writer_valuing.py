"""A writer that has just begun: what needs the worth of an account waits for the market of what it holds (D03, D04)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from support.broker_streams import streaming, subscriber
from support.broker_writer import (
    ACCOUNT,
    NOW_MS,
    Instance,
    MemoryJournal,
    MemoryMarket,
    World,
    eventually,
    instance,
    limit_buy,
    market_buy,
    play,
)

from trading_api.models.broker import OrderStatus
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.events import EquityEvent, OrderEvent
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.outcome import Preview, Refusal
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.requests import CancelOrder, ClosePosition, PreviewOrder
from trading_api.modules.broker.market.port import MarketUnavailable
from trading_api.modules.broker.streams.follower import Follower
from trading_api.modules.broker.writer.errors import MarketUnknown, NoWriter
from trading_api.modules.broker.writer.reign import Reign

PATIENCE = "trading_api.modules.broker.writer.valuing.PATIENCE_S"
SOON = Duration(DurationKind.GTD, NOW_MS + 1000)


async def hold(world: World) -> None:
    """A first writer: it holds MSFT for all that the account has, and one AAPL. A limit buy rests."""
    async with instance(world) as one:
        one.market.know("MSFT", "100.00", "100.00")
        one.market.know("AAPL", "100.00", "100.00")
        await eventually(lambda: one.writer.is_ready, "the writer")
        await one.execute(limit_buy(price="90.00"))
        await one.execute(market_buy("AAPL", "1"))
        await one.execute(market_buy("MSFT", "9000"))


@asynccontextmanager
async def later(world: World, *, tick_s: float = 0.01, aapl: str = "100.00") -> AsyncIterator[Instance]:
    """Its successor, who knows AAPL at once, and MSFT when the test opens the gate of the market's looks."""
    market = MemoryMarket()
    market.look_gate = asyncio.Event()
    market.know("AAPL", aapl, aapl)
    async with instance(world, market=market, tick_s=tick_s) as one:
        await eventually(lambda: one.writer.is_ready, "the writer")
        yield one


def statuses(journal: MemoryJournal, order_id: str) -> list[OrderStatus]:
    events = journal.events[ACCOUNT]
    return [event.order.status for event in events if isinstance(event, OrderEvent) and event.order.id == order_id]


def open_gate(one: Instance) -> None:
    assert one.market.look_gate is not None
    one.market.look_gate.set()


def test_D03_commands_wait_for_the_market_of_what_is_held_and_are_then_decided_by_it() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one:
            preview = PreviewOrder(market_buy("AAPL", "500"))
            calls = [asyncio.ensure_future(one.execute(each)) for each in (market_buy("AAPL", "500"), preview)]
            assert await one.execute(CancelOrder("1")) == "Order 1 was canceled."
            assert await one.execute(ClosePosition("AAPL")) == "Position AAPL was closed."
            await asyncio.sleep(0.05)
            assert not any(call.done() for call in calls)
            one.market.know("MSFT", "92.00", "92.00")
            open_gate(one)
            refusal, told = await asyncio.gather(*calls)
            assert isinstance(refusal, Refusal)
            assert "Not enough margin" in refusal.reason
            assert isinstance(told, Preview)
            assert told.errors == (refusal.reason,)

    play(scene)


def test_D03_a_market_that_stays_unknown_is_503_and_uses_no_key_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PATIENCE, 0.05)

    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one:
            one.market.away = "The datafeed cannot be reached."
            open_gate(one)
            before = len(journal.events[ACCOUNT])
            with pytest.raises(MarketUnknown, match=r"The market of MSFT is not known yet; try again\.") as raised:
                await one.execute(market_buy(), command_id="key:k")
            assert raised.value.retry_after_s >= 1
            began = time.monotonic()
            with pytest.raises(MarketUnknown):
                await one.execute(market_buy(), command_id="key:k")
            assert time.monotonic() - began < 1
            one_missing = "The market of 1 of the symbols that are held is not known yet."
            await eventually(lambda: one.writer.unvalued == one_missing, "AAPL to count no more")
            assert len(journal.events[ACCOUNT]) == before
            one.market.away = ""
            one.market.quote("MSFT", "100.00", "100.00")
            assert await one.execute(market_buy(qty="2"), command_id="key:k", body_hash="another") == "4"
            assert one.writer.unvalued == ""

    play(scene)


def test_D03_another_instance_hears_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PATIENCE, 0.05)

    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one, instance(world) as two:
            await eventually(lambda: two.writer.news.epoch, "news of the writer")
            one.market.away = "The datafeed cannot be reached."
            open_gate(one)
            for request in (market_buy(), PreviewOrder(market_buy())):
                with pytest.raises(MarketUnknown, match="MSFT is not known yet"):
                    await two.execute(request)

    play(scene)


def test_D03_bare_quotes_are_enough_to_value_by_and_bring_nothing_else_forward() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one:
            assert one.writer.unvalued == "", "it is early yet"
            waiting = asyncio.ensure_future(one.execute(market_buy("AAPL", "500")))
            await asyncio.sleep(0.02)
            assert not waiting.done()
            one.market.tell_price("MSFT", Quote("MSFT", Decimal(92), Decimal(92), NOW_MS))
            refusal = await waiting
            assert isinstance(refusal, Refusal)
            assert "Not enough margin" in refusal.reason
            assert "MSFT" not in one.market.looks
            assert one.market.hurried == []
            assert (await one.commands.equity(ACCOUNT, patience_s=5)).equity.equity == 100_000 - 9000 * 8
            one.market.tell_price("MSFT", Quote("MSFT", Decimal(95), Decimal(95), NOW_MS))
            assert (await one.commands.equity(ACCOUNT, patience_s=5)).equity.equity == 100_000 - 9000 * 5

    play(scene)


def test_D03_the_orders_meet_the_market_once_however_many_symbols_are_heard_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names, met = [f"S{number:03}" for number in range(100)], list[str]()
    look_again = Reign._look_again

    def noted(reign: Reign, symbol: str) -> None:
        met.append(symbol)
        look_again(reign, symbol)

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await eventually(lambda: one.writer.is_ready, "the writer")
            for name in names:
                one.market.know(name, "10.00", "10.00")
                await one.execute(market_buy(name))
        async with later(world, tick_s=60) as two:
            for name in names:
                two.market.know(name, "10.00", "10.00")
            monkeypatch.setattr(Reign, "_look_again", noted)
            open_gate(two)
            await eventually(lambda: len(met) >= len(names), "the orders to be looked at")
            assert await two.execute(market_buy()) == "101"
            assert len(met) <= 2 * len(names)

    play(scene)


def test_D03_an_order_that_a_bare_quote_reaches_has_its_market_learned_first() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one:
            one.market.tell_price("AAPL", Quote("AAPL", Decimal("90.01"), Decimal("90.01"), NOW_MS))
            assert one.market.hurried == []
            one.market.tell_price("AAPL", Quote("AAPL", Decimal(90), Decimal(90), NOW_MS))
            assert one.market.hurried == ["AAPL"]

    play(scene)


def test_D03_where_many_quotes_cannot_be_told_each_symbol_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    async def price(_self: MemoryMarket, _symbols: object) -> None:
        raise MarketUnavailable("The datafeed answers with HTTP 422.", answered=True)

    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        with monkeypatch.context() as patched:
            patched.setattr(MemoryMarket, "price", price)
            async with later(world) as one:
                one.market.know("MSFT", "110.00", "110.00")
                open_gate(one)
                assert await one.execute(market_buy()) == "4"
                assert (await one.commands.equity(ACCOUNT, patience_s=5)).equity.equity == 190_000

    play(scene)


def test_D03_an_order_that_rests_is_looked_at_again_when_the_market_is_known() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world, aapl="80.00") as one:
            one.market.quote("AAPL", "80.00", "80.00")
            await asyncio.sleep(0.05)
            assert statuses(journal, "1") == [OrderStatus.WORKING]
            one.market.know("MSFT", "150.00", "150.00")
            open_gate(one)
            await eventually(lambda: statuses(journal, "1")[-1] is OrderStatus.FILLED, "the fill")

    play(scene)


def test_D03_it_is_looked_at_again_at_once_and_not_at_the_next_tick() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world, aapl="80.00", tick_s=60) as one:
            one.market.quote("AAPL", "80.00", "80.00")
            one.market.know("MSFT", "150.00", "150.00")
            open_gate(one)
            await eventually(lambda: statuses(journal, "1")[-1] is OrderStatus.FILLED, "the fill")

    play(scene)


def test_D01_equity_is_not_told_until_it_is_known_and_then_at_once() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world, tick_s=60) as one, streaming(one, journal) as hub:
            client = await subscriber(hub, "equity")
            await one.execute(ClosePosition("AAPL"))
            told = [event for event in journal.events[ACCOUNT] if isinstance(event, EquityEvent)]
            assert told[-1].equity.equity is None, "its cash is in the log, its worth is not"
            assert not Follower(ACCOUNT, journal, lambda event: event).take_equity(told[-1])
            with pytest.raises((MarketUnknown, NoWriter)):
                await one.commands.equity(ACCOUNT, patience_s=0.1)
            assert client.updates == []
            one.market.know("MSFT", "110.00", "110.00")
            open_gate(one)
            await eventually(lambda: client.updates, "the first value")
            assert [each["equity"] for each in client.updates] == [190_000]

    play(scene)


def test_D03_a_symbol_that_nobody_trades_any_more_does_not_lock_the_account() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one:
            open_gate(one)
            assert await one.execute(market_buy()) == "4"
            assert (await one.commands.equity(ACCOUNT, patience_s=5)).equity.equity == 100_000

    play(scene)


def test_D03_nor_does_one_of_which_the_datafeed_cannot_say_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PATIENCE, 0.1)

    async def look(_self: MemoryMarket, _symbol: object) -> MarketView:
        raise MarketUnavailable("The datafeed answers with HTTP 500.", answered=True)

    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        with monkeypatch.context() as patched:
            patched.setattr(MemoryMarket, "look", look)
            patched.setattr(MemoryMarket, "price", look)
            async with later(world) as one:
                await eventually(lambda: not one.writer._reign._desk.unvalued(), "the end of patience")  # type: ignore[union-attr]
                assert await one.execute(market_buy()) == "4"

    play(scene)


def test_D03_what_was_valued_before_the_datafeed_went_away_counts_at_its_last_quote() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one:
            one.market.quote("MSFT", "110.00", "110.00")
            one.market.away = "The datafeed cannot be reached."
            open_gate(one)
            assert await one.execute(market_buy()) == "4"

    play(scene)


def test_D04_a_command_that_waits_for_the_market_is_not_lost_when_the_writer_goes() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        await hold(world)
        async with later(world) as one:
            waiting = asyncio.ensure_future(one.execute(market_buy()))
            await asyncio.sleep(0.02)
            one.memory_lease.lose()
            world.leases.holder = None
            one.market.know("MSFT", "100.00", "100.00")
            open_gate(one)
            world.leases.offer()
            assert await waiting == "4"

    play(scene)


def test_D03_orders_expire_while_the_datafeed_is_away_since_the_start() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            one.market.know("AAPL", "99.99", "100.01")
            await eventually(lambda: one.writer.is_ready, "the writer")
            for _ in range(2):
                await one.execute(replace(limit_buy(), duration=SOON))
        market = MemoryMarket()
        market.away = "The datafeed cannot be reached."
        async with instance(world, market=market, tick_s=0.01) as two:
            await eventually(lambda: two.writer.is_ready, "the writer")
            market.feed_ms, world.clock_ms = NOW_MS, NOW_MS + 1000
            await asyncio.sleep(0.05)
            assert statuses(journal, "1") == [OrderStatus.WORKING], "by the feed's clock, where that is known"
            market.feed_ms = NOW_MS + 1000
            await eventually(lambda: statuses(journal, "1")[-1] is OrderStatus.CANCELED, "its end")

    play(scene)


def test_D03_orders_expire_by_the_wall_clock_while_the_feeds_was_never_heard() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            one.market.know("AAPL", "99.99", "100.01")
            await eventually(lambda: one.writer.is_ready, "the writer")
            await one.execute(replace(limit_buy(), duration=SOON))
        market = MemoryMarket()
        market.away = "The datafeed cannot be reached."
        async with instance(world, market=market, tick_s=0.01) as two:
            await eventually(lambda: two.writer.is_ready, "the writer")
            await asyncio.sleep(0.05)
            assert statuses(journal, "1") == [OrderStatus.WORKING]
            world.clock_ms = NOW_MS + 1000
            await eventually(lambda: statuses(journal, "1")[-1] is OrderStatus.CANCELED, "its end")

    play(scene)
