"""From one writer to the next: a clean stop, a lost lease, a paused process, a bus that is away (D04)."""

import asyncio
from decimal import Decimal

import pytest
from support.broker_writer import (
    ACCOUNT,
    Instance,
    MemoryJournal,
    World,
    eventually,
    instance,
    limit_buy,
    market_buy,
    play,
)

from trading_api.modules.broker.domain.events import EquityEvent, Event, ExecutionEvent, OrderEvent
from trading_api.modules.broker.domain.outcome import Refusal
from trading_api.modules.broker.domain.requests import CancelOrder
from trading_api.modules.broker.writer.errors import NoWriter
from trading_api.shared.bus import MemoryBus


async def ready(writer: Instance, *others: Instance) -> None:
    """The first of them writes, and the others know it."""
    for each in (writer, *others):
        each.market.know("AAPL", "99.99", "100.01")
    await eventually(lambda: writer.writer.is_ready, "the writer")
    await eventually(lambda: all(each.writer.news.epoch for each in others), "news of the writer")


def ids(journal: MemoryJournal) -> list[str]:
    return [event.order.id for event in journal.events.get(ACCOUNT, []) if isinstance(event, OrderEvent)]


def test_D04_commands_reach_the_writer_from_whichever_instance_got_them() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            answers = [await each.execute(limit_buy()) for each in (two, one, two)]
            assert answers == ["1", "2", "3"]
            refusal = await two.execute(CancelOrder("9"))
            assert isinstance(refusal, Refusal)
            assert refusal == await one.execute(CancelOrder("9"))
            assert (await two.commands.equity(ACCOUNT, patience_s=5)).equity.equity == 100_000

    play(scene)


def test_D04_a_clean_stop_finishes_what_was_begun_and_hands_over_at_once() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as two, instance(world) as one:
            # `two` was first, so it writes; the other one waits for its turn.
            await ready(two, one)
            journal.gate.clear()
            begun = [asyncio.ensure_future(one.execute(limit_buy())) for _ in range(3)]
            await eventually(journal.entered.is_set, "a commit under way")
            stopping = asyncio.ensure_future(two.writer.stop())
            await asyncio.sleep(0)
            later = asyncio.ensure_future(one.execute(limit_buy()))
            await asyncio.sleep(0)
            journal.gate.set()
            await stopping
            assert sorted(map(str, await asyncio.gather(*begun))) == ["1", "2", "3"]
            assert await later == "4"
            assert one.memory_lease.woken == 1
            assert one.writer.is_ready
            assert ids(journal) == ["1", "2", "3", "4"]

    play(scene)


def test_D04_a_lease_lost_in_mid_batch_loses_and_repeats_nothing() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            journal.gate.clear()
            in_hand = [asyncio.ensure_future(each.execute(limit_buy())) for each in (one, two)]
            await eventually(journal.entered.is_set, "a commit under way")
            ahead = [asyncio.ensure_future(each.execute(limit_buy())) for each in (one, two)]
            await asyncio.sleep(0)
            # Taken from it, before its transaction has asked the fence.
            world.leases.give(two.memory_lease)
            one.memory_lease.lose()
            journal.gate.set()
            answers = await asyncio.gather(*in_hand, *ahead)
            assert sorted(map(str, answers)) == ["1", "2", "3", "4"]
            assert sorted(ids(journal)) == ["1", "2", "3", "4"]
            assert not one.writer.is_ready

    play(scene)


def test_D04_a_commit_that_was_through_when_the_lease_was_lost_is_acknowledged() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            answer = asyncio.ensure_future(one.execute(limit_buy()))
            await eventually(lambda: journal.batches, "the commit")
            world.leases.give(two.memory_lease)
            one.memory_lease.lose()
            assert await answer == "1"
            assert await one.execute(limit_buy()) == "2"

    play(scene)


def test_D04_a_paused_writer_that_wakes_acknowledges_nothing_and_executes_nothing() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            journal.gate.clear()
            answer = asyncio.ensure_future(one.execute(limit_buy()))
            await eventually(journal.entered.is_set, "a commit under way")
            # SIGSTOP: it does not notice that another one takes the lease.
            one.memory_lease.paused = True
            world.leases.give(two.memory_lease)
            await eventually(lambda: two.writer.is_ready, "the other writer")
            assert not one.writer.is_ready, "it asks the clock"
            one.market.quote("AAPL", "80.00", "80.02")
            journal.gate.set()
            assert await answer == "1"
            assert len(journal.batches) == 1, "its own commit was fenced off; the other one did it"
            assert ids(journal) == ["1"]
            two.market.quote("AAPL", "80.00", "80.02")
            await eventually(lambda: ids(journal) == ["1", "1"], "the fill by the writer that there is")

    play(scene)


def test_D04_an_instance_that_gets_the_lease_again_writes_nothing_of_its_former_reign() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            journal.gate.clear()
            answer = asyncio.ensure_future(one.execute(limit_buy(), command_id="mine"))
            await eventually(journal.entered.is_set, "a commit under way")
            world.leases.give(two.memory_lease)
            one.memory_lease.lose()
            two.memory_lease.lose()
            # The fence itself would let it through: the lease is its own again.
            world.leases.give(one.memory_lease)
            journal.gate.set()
            assert await answer == "1"
            (batch,) = journal.batches
            assert [stored.command_id for stored in batch.answers] == ["mine"]
            assert journal.lookups == 1, "asked the store, since it could have been written"
            assert journal.loads == 2

    play(scene)


def test_D04_without_a_writer_it_is_503_within_the_deadline() -> None:
    async def scene(world: World, _journal: MemoryJournal) -> None:
        async with instance(world, deadline_s=0.2) as one:
            await ready(one)
            one.memory_lease.lose()
            began = asyncio.get_running_loop().time()
            with pytest.raises(NoWriter):
                await one.execute(limit_buy())
            assert 0.15 < asyncio.get_running_loop().time() - began < 20

    play(scene)


def test_D04_a_writer_that_hangs_is_given_up_for_the_one_that_follows() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world, attempt_s=0.1) as two, instance(world) as three:
            await ready(one, two, three)
            journal.gate.clear()
            answer = asyncio.ensure_future(two.execute(limit_buy()))
            await eventually(journal.entered.is_set, "a commit under way")
            one.memory_lease.paused = True
            await eventually(lambda: two.writer.news.epoch is None, "doubt")
            journal.gate.set()
            world.leases.give(three.memory_lease)
            assert await answer == "1"
            assert ids(journal) == ["1"]

    play(scene)


def test_D04_while_the_bus_is_away_the_writer_serves_its_own_and_the_others_wait_for_it() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        away = MemoryBus()
        async with instance(world, bus=away) as one, instance(world, bus=away, deadline_s=0.3) as two:
            one.market.know("AAPL", "99.99", "100.01")
            await eventually(lambda: one.writer.is_ready, "the writer")
            assert await one.execute(limit_buy()) == "1"
            with pytest.raises(NoWriter):
                await two.execute(limit_buy())
            waiting = asyncio.ensure_future(two.execute(limit_buy()))
            await asyncio.sleep(0)
            await away.connect()
            assert await waiting == "2"
        await away.close()

    play(scene)


def test_D04_two_hundred_races_of_cancel_against_fill_are_each_won_once() -> None:
    async def race(one: Instance, two: Instance, order_id: str, quote_first: bool) -> object:
        cancel = asyncio.ensure_future(two.execute(CancelOrder(order_id)))
        for _ in range(0 if quote_first else 3):
            await asyncio.sleep(0)
        one.market.quote("AAPL", "89.98", "90.00")
        answer = await cancel
        one.market.quote("AAPL", "99.99", "100.01")
        return answer

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            outcomes: dict[str, object] = {}
            for number in range(200):
                order_id = str(await one.execute(limit_buy()))
                outcomes[order_id] = await race(one, two, order_id, bool(number % 2))
            filled = [e.execution.order_id for e in journal.events[ACCOUNT] if isinstance(e, ExecutionEvent)]
            canceled = [order_id for order_id, answer in outcomes.items() if not isinstance(answer, Refusal)]
            assert len(filled) == len(set(filled))
            assert sorted([*filled, *canceled], key=int) == [str(number) for number in range(1, 201)]
            assert filled, "some are won by the fill"
            assert canceled, "and some by the cancel"

    play(scene)


class Heard:
    """A Listener of the writer."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.equities: list[EquityEvent] = []

    def written(self, _account_id: str, events: "list[Event]") -> None:
        self.events.extend(events)

    def worth(self, event: EquityEvent) -> None:
        self.equities.append(event)


def test_D04_listeners_hear_of_what_is_durable_only_in_order() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        heard = Heard()
        async with instance(world) as one:
            one.writer.telling.listen(heard)  # type: ignore[arg-type]
            await ready(one)
            journal.gate.clear()
            order = asyncio.ensure_future(one.execute(market_buy()))
            await eventually(journal.entered.is_set, "a commit under way")
            assert heard.events == []
            journal.gate.set()
            await order
            assert heard.events == journal.events[ACCOUNT]

    play(scene)


def test_D03_equity_follows_the_quotes_and_is_told_when_what_it_rests_on_is_durable() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        heard = Heard()
        async with instance(world, tick_s=0.01) as one:
            one.writer.telling.listen(heard)  # type: ignore[arg-type]
            await ready(one)
            await one.execute(market_buy(qty="10"))
            assert heard.equities == []
            one.market.quote("AAPL", "101.01", "101.03")
            told = await eventually(lambda: heard.equities, "the equity")
            assert (told[0].equity.unrealized, told[0].seq) == (Decimal(10), len(journal.events[ACCOUNT]))
            one.market.quote("AAPL", "101.01", "101.05")
            journal.gate.clear()
            order = asyncio.ensure_future(one.execute(limit_buy()))
            await eventually(lambda: journal.under_way, "a commit under way")
            one.market.quote("AAPL", "102.01", "102.03")
            await asyncio.sleep(0.05)
            assert len(heard.equities) == 1, "an ask that moves changes no long position; the rest waits for the commit"
            journal.gate.set()
            await order
            await eventually(lambda: len(heard.equities) == 2, "the next one")
            assert heard.equities[1].equity.unrealized == 20

    play(scene)


def test_D03_a_quote_stream_that_does_nothing_commits_nothing() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world, tick_s=0.01) as one:
            await ready(one)
            await one.execute(limit_buy())
            for cents in range(50):
                one.market.quote("AAPL", f"99.{cents:02}", f"100.{cents:02}")
                await asyncio.sleep(0)
            await asyncio.sleep(0.05)
            assert len(journal.batches) == 1
            assert one.market.watched == {"AAPL"}

    play(scene)
