"""The writer on real stores, with real leases, over NATS: nothing acknowledged is lost, nothing is done twice (D04)."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from support.broker_streams import streaming, subscriber
from support.broker_writer import (
    ACCOUNT,
    Instance,
    World,
    eventually,
    instance,
    limit_buy,
    market_buy,
)
from support.nats import NatsServer, nats_server
from support.stopwatch import Stopwatch
from support.store_urls import KINDS, migrated_store

from trading_api.modules.broker.domain.events import ExecutionEvent, OrderEvent
from trading_api.modules.broker.domain.outcome import Refusal
from trading_api.modules.broker.domain.requests import CancelOrder
from trading_api.modules.broker.journal.journal import Journal
from trading_api.modules.broker.writer.errors import KeyReused
from trading_api.shared.bus import Bus, MemoryBus, open_bus
from trading_api.shared.lease import Lease
from trading_api.shared.lease_keeper import LeaseKeeper, holder_name
from trading_api.shared.store import postgres_engine, sqlite
from trading_api.shared.store.engine import open_engine, writing
from trading_api.shared.store.tables import leases

pytestmark = pytest.mark.integration

TTL = 0.6
BOTH = pytest.mark.parametrize("kind", KINDS)
SQLITE = pytest.mark.parametrize("kind", ["sqlite"])


@pytest.fixture
def url(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its connections wait 0.3 s for a lock, so that a locked store is soon an error."""
    monkeypatch.setattr(sqlite.connect, "__kwdefaults__", {"busy_seconds": 0.3})
    monkeypatch.setattr(postgres_engine, "LOCK_MS", 300)
    with migrated_store(kind, tmp_path) as made:
        yield made


class Place:
    """A store, and the instances on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engines: list[Engine] = []
        self.journal = Journal(self.engine())

    def engine(self) -> Engine:
        engine = open_engine(self.url)
        self.engines.append(engine)
        return engine

    @asynccontextmanager
    async def instance(self, bus: Bus) -> AsyncIterator[Instance]:
        """One with connections of its own, and a market at 100."""
        engine = self.engine()
        keeper = LeaseKeeper(Lease(engine, "broker", holder=holder_name(), ttl=TTL), look_every=0.05)
        async with instance(World(bus, Journal(engine)), lease=keeper, bus=bus) as one:
            one.market.know("AAPL", "99.99", "100.01")
            yield one

    def events(self) -> list[object]:
        return list(self.journal.events_after(ACCOUNT, 0, None, 100_000))

    def check(self, orders: int) -> None:
        """So many orders, each placed once; the rows and the log agree."""
        placed = Counter(order.id for order in self.journal.orders(ACCOUNT))
        assert len(placed) == orders
        assert self.journal.verify(ACCOUNT) == []


Scene = Callable[[Place], Awaitable[None]]


def play(url: str, scene: Scene) -> None:
    place = Place(url)
    try:
        asyncio.run(asyncio.wait_for(scene(place), 60))
    finally:
        for engine in place.engines:
            engine.dispose()


@asynccontextmanager
async def pair(place: Place) -> AsyncIterator[tuple[Instance, Instance]]:
    """Two instances on a bus in memory; the first of them writes."""
    bus = MemoryBus()
    await bus.connect()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bus.close)
        one = await stack.enter_async_context(place.instance(bus))
        await eventually(lambda: one.writer.is_ready, "the writer")
        two = await stack.enter_async_context(place.instance(bus))
        await eventually(lambda: two.writer.news.epoch, "news of the writer")
        yield one, two


@BOTH
def test_D04_a_writer_that_stops_in_a_burst_hands_over_at_once_and_nothing_is_lost_or_repeated(url: str) -> None:
    async def scene(place: Place) -> None:
        async with pair(place) as (one, two):
            acknowledged: list[str] = []
            numbers = itertools.count()

            async def client() -> None:
                for number in itertools.islice(numbers, 15):
                    order_id = await two.execute(market_buy(qty="0.01"), command_id=f"mine-{number}")
                    assert isinstance(order_id, str)
                    acknowledged.append(order_id)

            burst = [asyncio.create_task(client()) for _ in range(8)]
            await eventually(lambda: len(acknowledged) > 20, "the burst")
            watch = Stopwatch()
            await one.writer.stop()
            await eventually(lambda: two.writer.is_ready, "the other writer")
            took = watch.seconds
            await asyncio.gather(*burst)
        assert took < 1.5, "not after the lease has run out, and not after a deadline"
        assert sorted(acknowledged, key=int) == [str(number) for number in range(1, 121)]
        place.check(orders=120)
        executed = [each.execution.qty for each in place.events() if isinstance(each, ExecutionEvent)]
        assert sum(executed) == place.journal.positions(ACCOUNT)[0].qty == Decimal("1.2")

    play(url, scene)


@BOTH
def test_D04_a_locked_store_delays_orders_and_loses_and_repeats_none(url: str) -> None:
    async def scene(place: Place) -> None:
        engine = place.engine()

        def hold(seconds: float) -> None:
            with writing(engine) as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("LOCK TABLE broker_events, leases IN ACCESS EXCLUSIVE MODE")
                time.sleep(seconds)

        async with pair(place) as (one, two):
            assert await one.execute(limit_buy()) == "1"
            locked = asyncio.create_task(asyncio.to_thread(hold, 1.5))
            await asyncio.sleep(0.1)
            answers = await asyncio.gather(*(each.execute(limit_buy()) for each in (one, two) * 5))
            await locked
        assert sorted(map(str, answers), key=int) == [str(number) for number in range(2, 12)]
        place.check(orders=11)

    play(url, scene)


@BOTH
def test_D04_equal_requests_over_instances_and_restarts_are_one_order(url: str) -> None:
    async def scene(place: Place) -> None:
        async with pair(place) as (one, two):
            calls = [each.execute(market_buy(), command_id="key:k") for each in (one, two) * 10]
            assert await asyncio.gather(*calls) == ["1"] * 20
        async with pair(place) as (one, two):
            assert await two.execute(market_buy(), command_id="key:k") == "1"
            with pytest.raises(KeyReused):
                await one.execute(market_buy(qty="2"), command_id="key:k", body_hash="another")
            assert await one.execute(limit_buy()) == "2", "the counters go on"
        place.check(orders=2)

    play(url, scene)


@SQLITE
def test_D04_a_lease_that_changes_hands_again_and_again_in_a_burst_loses_and_repeats_nothing(url: str) -> None:
    async def scene(place: Place) -> None:
        async with pair(place) as pair_of_instances:
            done: list[str] = []

            stolen = asyncio.Event()

            async def client(one: Instance) -> None:
                while not stolen.is_set():
                    answer = await one.execute(limit_buy())
                    done.append(str(answer))

            burst = [asyncio.create_task(client(one)) for one in pair_of_instances * 4]
            engine = place.engine()
            for _ in range(4):
                before = len(done)
                await eventually(lambda before=before: len(done) > before + 10, "some progress")  # type: ignore[misc]
                await asyncio.to_thread(_steal, engine)
            stolen.set()
            await asyncio.gather(*burst)
        assert sorted(done, key=int) == [str(number) for number in range(1, len(done) + 1)]
        place.check(orders=len(done))

    play(url, scene)


@SQLITE
def test_D04_after_the_store_was_set_back_everybody_finds_the_writer_again(url: str) -> None:
    async def scene(place: Place) -> None:
        engine = place.engine()
        async with pair(place) as (one, two):
            await asyncio.to_thread(_set_lease, engine, 1000, None)
            await eventually(lambda: {one.writer.news.epoch, two.writer.news.epoch} == {1001}, "the new epoch")
            # As a copy of the store from long ago has it, whose writer is no more.
            await asyncio.to_thread(_set_lease, engine, 7, "gone")
            async with asyncio.timeout(60):
                answers = [await each.execute(limit_buy()) for each in (one, two, one, two)]
            assert answers == ["1", "2", "3", "4"]
            assert {one.writer.news.epoch, two.writer.news.epoch} == {8}

    play(url, scene)


def _set_lease(engine: Engine, epoch: int, holder: str | None) -> None:
    with writing(engine) as connection:
        connection.execute(update(leases).values(epoch=epoch, holder=holder, beat=0))


def _steal(engine: Engine) -> None:
    """Take the lease away without a word, as another machine would, and give it back."""
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE leases SET epoch = epoch + 1, holder = NULL WHERE name = 'broker'")


@SQLITE
def test_D04_races_of_cancel_against_fill_have_one_winner_in_the_store_too(url: str) -> None:
    async def scene(place: Place) -> None:
        async with pair(place) as (one, two):
            orders = [str(await one.execute(limit_buy(qty="0.01"))) for _ in range(40)]
            cancels = [asyncio.ensure_future(two.execute(CancelOrder(each))) for each in orders]
            await eventually(lambda: any(each.done() for each in cancels), "the first cancel")
            one.market.quote("AAPL", "89.98", "90.00")
            answers = dict(zip(orders, await asyncio.gather(*cancels), strict=True))
        canceled = {order_id for order_id, answer in answers.items() if not isinstance(answer, Refusal)}
        filled = [each.execution.order_id for each in place.events() if isinstance(each, ExecutionEvent)]
        assert sorted([*canceled, *filled], key=int) == orders
        place.check(orders=40)

    play(url, scene)


@BOTH
def test_W07_a_subscriber_that_resumes_reads_the_store_while_it_is_written(url: str) -> None:
    async def scene(place: Place) -> None:
        async with pair(place) as (one, two), streaming(two, place.journal, listen=False) as hub:
            for _ in range(5):
                await one.execute(market_buy(qty="0.01"))

            async def trade() -> None:
                for _ in range(30):
                    await one.execute(market_buy(qty="0.01"))

            trading = asyncio.create_task(trade())
            clients = [await subscriber(hub, "orders", since=since) for since in (0, 4, 8)]
            live = await subscriber(hub, "executions")
            await trading
            orders = [each.seq for each in place.events() if isinstance(each, OrderEvent)]
            for since, client in zip((0, 4, 8), clients, strict=True):
                due = [seq for seq in orders if seq > since]
                await eventually(lambda c=client, due=due: len(c.seqs) >= len(due), "all of them")  # type: ignore[misc]
                assert client.seqs == due
            executions = [each.seq for each in place.events() if isinstance(each, ExecutionEvent)]
            await eventually(lambda: live.seqs[-1:] == executions[-1:], "the newest of them")
            assert live.seqs == executions[-len(live.seqs) :]

    play(url, scene)


@SQLITE
def test_D04_over_nats_that_is_killed_in_a_burst_nothing_is_lost_and_followers_catch_up(url: str) -> None:
    async def burst(one: Instance, server: NatsServer) -> list[str]:
        done: list[str] = []

        async def client() -> None:
            for _ in range(12):
                answer = await one.execute(limit_buy())
                done.append(str(answer))

        clients = [asyncio.create_task(client()) for _ in range(8)]
        await eventually(lambda: len(done) > 20, "the burst")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await asyncio.gather(*clients)
        return done

    async def scene(place: Place, server: NatsServer) -> None:
        buses = [open_bus(server.url, str(server.token_file)) for _ in range(2)]
        async with AsyncExitStack() as stack:
            for bus in buses:
                await bus.connect()
                stack.push_async_callback(bus.close)
            one = await stack.enter_async_context(place.instance(buses[0]))
            await eventually(lambda: one.writer.is_ready, "the writer")
            two = await stack.enter_async_context(place.instance(buses[1]))
            hub = await stack.enter_async_context(streaming(two, place.journal, bus=buses[1], poll_s=1.0))
            client = await subscriber(hub, "orders")
            done = await burst(two, server)
            assert sorted(done, key=int) == [str(number) for number in range(1, 97)]
            assert not two.writer.is_ready, "the store was there all the time"
            await eventually(lambda: len(client.seqs) >= 96, "what was missed")
            assert client.seqs == list(range(1, 97))
        place.check(orders=96)

    with nats_server() as server:
        play(url, lambda place: scene(place, server))
