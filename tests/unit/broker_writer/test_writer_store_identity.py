"""Commands reach the writer of their own store, whatever was heard on the bus before (D04)."""

import asyncio
from collections.abc import Awaitable

import pytest
from support.broker_streams import streaming, subscriber
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
from support.fake_clock import FakeClock

from trading_api.modules.broker.domain.events import OrderEvent
from trading_api.modules.broker.journal.standing import Standing
from trading_api.modules.broker.writer import commands, distant_writer, store_look
from trading_api.modules.broker.writer.call import Call
from trading_api.modules.broker.writer.codec import dump_call
from trading_api.modules.broker.writer.commit_watch import NO_STORE
from trading_api.modules.broker.writer.distant_writer import DistantWriter
from trading_api.modules.broker.writer.errors import Again, NoWriter, Unreached
from trading_api.modules.broker.writer.subjects import Subjects
from trading_api.modules.broker.writer.wire import load_outcome
from trading_api.modules.broker.writer.writer_news import WriterNews, dump_news
from trading_api.shared.bus import BusTimeout, MemoryBus, NoResponder
from trading_api.shared.store.errors import StoreError

DISTANT = (
    "Orders are carried out by a process that the bus of this deployment does not reach; "
    "whoever shares a store must share a bus (bus.url)."
)


async def ready(*instances: Instance) -> None:
    for one in instances:
        one.market.know("AAPL", "99.99", "100.01")
        await eventually(lambda one=one: one.writer.news.epoch, "news of a writer")  # type: ignore[misc]


def orders(journal: MemoryJournal) -> int:
    return sum(isinstance(event, OrderEvent) for event in journal.events.get(ACCOUNT, []))


async def within(seconds: float, *answers: Awaitable[object]) -> list[object]:
    """The answers, which come in time."""
    async with asyncio.timeout(seconds):
        return [await answer for answer in answers]


def test_D04_the_lease_in_the_store_counts_more_than_what_was_heard() -> None:
    news = WriterNews()
    news.hear(50, left=False)
    news.read(3, held=True)
    assert news.epoch == 3
    news.doubt(3)
    news.read(3, held=True)
    found = [news.epoch]
    assert found == [None], "it is held, but its holder did not answer: it will say that it is there"
    news.hear(3, left=False)
    found.append(news.epoch)
    news.read(3, held=False)
    assert [*found, news.epoch] == [None, 3, None]
    news.hear(9, left=True)
    news.know(2)
    assert news.epoch == 2, "this instance writes itself"


def test_D04_after_the_store_was_set_back_every_instance_finds_the_writer_of_a_lower_epoch() -> None:
    async def scene(world: World, _journal: MemoryJournal) -> None:
        world.leases.epoch = 50
        async with instance(world) as one, instance(world) as two, instance(world) as three:
            await ready(one, two, three)
            assert three.writer.news.epoch == 51
            world.leases.epoch = 2
            one.memory_lease.lose()
            world.leases.give(two.memory_lease)
            await eventually(lambda: two.writer.is_ready, "the writer after the restore")
            answers = await within(3, *(each.execute(limit_buy()) for each in (two, three, one)))
            assert answers == ["1", "2", "3"]
            assert [each.writer.news.epoch for each in (one, two, three)] == [3, 3, 3]

    play(scene)


def test_D04_one_that_announces_a_higher_epoch_too_late_leads_nobody_astray_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "_WATCH_S", 0.1)

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            await world.bus.publish(Subjects(journal.store_id).writer, dump_news(99))
            await eventually(lambda: two.writer.news.epoch == 99, "the rumour")
            assert await within(2, two.execute(limit_buy())) == ["1"]
            await world.bus.publish(Subjects(journal.store_id).writer, dump_news(100, left=True))
            await eventually(lambda: two.writer.news.epoch is None, "the rumour")
            # Without any command too: health asks for it.
            await eventually(lambda: two.writer.news.epoch == 1, "the truth")

    play(scene)


def test_D04_two_stores_on_one_bus_never_see_each_other() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        foreign = MemoryJournal()
        other = World(world.bus, foreign)
        heard: list[str] = []

        async def note(message: object) -> None:
            heard.append(message.subject)  # type: ignore[attr-defined]

        watch = await world.bus.subscribe(f"broker.v1.{foreign.store_id}.>", note)
        async with (
            instance(world) as ours,
            instance(world) as ours_too,
            # Of the other store there is nobody who writes.
            instance(other, deadline_s=0.3) as theirs,
        ):
            theirs.memory_lease.lose()
            await ready(ours, ours_too)
            async with streaming(theirs, foreign) as hub:
                client = await subscriber(hub, "orders")
                heard.clear()
                with pytest.raises(NoWriter):
                    await theirs.execute(market_buy())
                assert await ours_too.execute(market_buy()) == "1"
                assert theirs.writer.news.epoch is None
                assert client.updates == []
            assert (orders(journal), orders(foreign)) == (1, 0)
            assert set(heard) == {Subjects(foreign.store_id).who_writes}, "nothing of ours is said there"
        await watch.unsubscribe()

    play(scene)


def test_D04_the_writer_refuses_a_command_for_another_store() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            subject, call = Subjects(journal.store_id).commands(1), Call(ACCOUNT, limit_buy(), "mine", "hash")
            with pytest.raises(Again, match="another store"):
                load_outcome(await world.bus.request(subject, dump_call(call, "other"), timeout=5))
            assert journal.batches == []
            assert load_outcome(await world.bus.request(subject, dump_call(call, journal.store_id), timeout=5)) == "1"

    play(scene)


def test_D04_while_the_store_cannot_be_read_nothing_is_announced_and_nothing_served() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        heard: list[object] = []

        async def note(message: object) -> None:
            heard.append(message)

        watch = await world.bus.subscribe("broker.>", note)
        journal.unreadable = "the store is away"
        async with instance(world, wait=False, deadline_s=0.2) as one:
            await eventually(lambda: one.writer.trouble, "the trouble")
            with pytest.raises(NoWriter, match="is away"):
                await one.execute(limit_buy())
            with pytest.raises(NoResponder):
                await world.bus.request(Subjects(journal.store_id).commands(1), b"", timeout=1)
            assert heard == []
            journal.unreadable = ""
            await eventually(lambda: one.writer.is_ready, "the writer")
            await eventually(lambda: heard, "its announcement")
        await watch.unsubscribe()

    play(scene)


def test_D04_a_store_that_was_exchanged_under_running_instances_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_look, "_EVERY_S", 0.02)

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            journal.store_id = "another"
            one.memory_lease.lose()
            world.leases.give(one.memory_lease)
            assert await two.execute(limit_buy()) == "1"
            assert two.writer.identity.known == Subjects("another")

    play(scene)


def holder(epoch: int, beat: int, name: str | None = "host:1:abcd") -> Standing:
    return Standing("store", epoch, name, beat)


def test_D03_a_writer_that_beats_and_says_nothing_for_long_is_one_that_the_bus_does_not_reach() -> None:
    news, clock = WriterNews(), FakeClock()
    distant = DistantWriter(news, clock=clock)

    def after(seconds: float, standing: Standing) -> str:
        clock.now += seconds
        distant.carried()
        distant.saw(standing)
        return distant.problem

    news.read(7, held=True)
    assert after(0, holder(7, 1)) == ""
    assert after(1, holder(7, 3)) == "", "it may be about to say something"
    assert after(1, holder(7, 5)) == DISTANT
    clock.now += 60
    assert distant.problem == "", "its last beat is long ago"
    assert [after(1, holder(8, beat)) for beat in (0, 0, 0, 0)] == [""] * 4, "one that is gone does not beat"
    assert [after(1, holder(9, beat)) for beat in (0, 2)] == ["", ""], "another one, who has just come"
    assert after(1, holder(9, 4)) == DISTANT
    news.hear(9, left=False)
    assert distant.problem == "", "it was heard"
    news.doubt(9)
    assert after(0, holder(9, 4)) == "", "one that was heard a moment ago has its time again"
    assert after(9, holder(9, 5, None)) == "", "the lease was given back"


def test_D03_while_the_bus_itself_is_silent_no_writer_is_out_of_its_reach() -> None:
    news, clock = WriterNews(), FakeClock()
    distant = DistantWriter(news, clock=clock)
    news.read(7, held=True)
    for beat in range(10):
        clock.now += 1
        distant.saw(holder(7, beat))
        assert distant.problem == "", "no question was heard, not even one's own"
    distant.carried()
    assert distant.problem == DISTANT
    clock.now += 2.5
    distant.saw(holder(7, 11))
    assert distant.problem == DISTANT
    clock.now += 1
    distant.saw(holder(7, 12))
    assert distant.problem == "", "it is silent again"


class HungBus(MemoryBus):
    """Once it hangs, it takes everything and brings nothing. That shows only after a while: `away`."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = self.away = False

    @property
    def connected(self) -> bool:
        return not self.away and super().connected

    async def publish(self, subject: str, data: bytes) -> None:
        if not self.hangs:
            await super().publish(subject, data)

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        if self.hangs:
            await asyncio.sleep(timeout)
            raise BusTimeout("no answer")
        return await super().request(subject, data, timeout=timeout)


@pytest.mark.parametrize(
    ("away", "reason"),
    [
        (False, "Nobody carries out commands at the moment."),
        (True, "The bus is away, so nobody could be asked to carry this out."),
    ],
)
def test_D03_a_bus_that_hangs_is_not_told_as_one_that_is_not_shared(
    monkeypatch: pytest.MonkeyPatch, away: bool, reason: str
) -> None:
    monkeypatch.setattr(commands, "_WATCH_S", 0.01)
    monkeypatch.setattr(store_look, "_EVERY_S", 0.01)
    monkeypatch.setattr(distant_writer, "_SILENCE_S", 0.05)
    monkeypatch.setattr(distant_writer, "_CARRIED_S", 0.05)
    bus = HungBus()

    async def scene(world: World, journal: MemoryJournal) -> None:
        await bus.connect()
        async with (
            instance(world, bus=bus) as there,
            instance(world, bus=bus, deadline_s=0.5, attempt_s=0.05) as here,
        ):
            await ready(there, here)
            bus.hangs, bus.away = True, away
            beating = asyncio.create_task(_beat(journal))
            with pytest.raises(NoWriter, match=reason) as refused:
                await here.execute(limit_buy())
            beating.cancel()
            assert not isinstance(refused.value, Unreached)
            bus.hangs = bus.away = False
        await bus.close()

    play(scene)


async def _beat(journal: MemoryJournal) -> None:
    while True:
        journal.leases.beat += 1
        await asyncio.sleep(0.005)


def test_D03_a_writer_that_the_bus_does_not_reach_is_named_to_who_asks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(commands, "_WATCH_S", 0.01)
    monkeypatch.setattr(store_look, "_EVERY_S", 0.01)
    monkeypatch.setattr(distant_writer, "_SILENCE_S", 0.05)

    async def scene(world: World, journal: MemoryJournal) -> None:
        island = MemoryBus()
        await island.connect()
        async with instance(world) as there, instance(world, bus=island, deadline_s=0.2) as here:
            await ready(there)

            def named() -> str:
                journal.leases.beat += 1
                return here.writer.distant

            # Without any command: health asks for it.
            assert await eventually(named, "the writer's name") == DISTANT
            answer = asyncio.ensure_future(here.execute(limit_buy()))
            await eventually(lambda: named() and answer.done(), "the answer")
            with pytest.raises(Unreached) as refused:
                await answer
            assert str(refused.value) == DISTANT
            assert caplog.messages.count(f"{DISTANT} It is host:1.") == 1
            assert (there.writer.distant, orders(journal)) == ("", 0)
        await island.close()

    play(scene)


def test_D03_a_writer_that_cannot_load_yet_says_that_it_is_there_and_what_it_lacks() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        journal.load_failures = [StoreError("another process is writing")] * 100_000
        async with instance(world) as one, instance(world) as two:
            await eventually(lambda: two.writer.news.reached, "its word")
            await eventually(lambda: one.writer.problem, "its trouble")
            assert not one.writer.is_ready
            await eventually(lambda: two.writer.news.trouble == NO_STORE, "what it lacks")
            journal.load_failures.clear()
            await eventually(lambda: not two.writer.news.trouble, "that it is well")

    play(scene)
