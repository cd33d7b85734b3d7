"""Streams of orders, positions, executions and equity: each event once, in order, in every instance (D01, D04, W07)."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

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
from support.ws_clients import FakeClient

from trading_api.modules.broker.domain.events import EquityEvent, Event, ExecutionEvent, OrderEvent, PositionEvent
from trading_api.modules.broker.domain.requests import CancelOrder
from trading_api.shared.bus import MemoryBus
from trading_api.shared.store.errors import StoreError


async def ready(one: Instance, *others: Instance) -> None:
    for each in (one, *others):
        each.market.know("AAPL", "99.99", "100.01")
    await eventually(lambda: one.writer.is_ready, "the writer")
    await eventually(lambda: all(each.writer.news.epoch for each in others), "news of the writer")


def seqs(journal: MemoryJournal, kind: type[Event], account_id: str = ACCOUNT) -> list[int]:
    return [event.seq for event in journal.events[account_id] if type(event) is kind]


def test_D01_a_subscriber_gets_what_happens_from_now_on_in_the_instance_that_writes_and_in_others() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            await one.execute(market_buy())
            old = len(journal.events[ACCOUNT])
            async with streaming(one, journal) as here, streaming(two, journal) as there:
                kinds = {"orders": OrderEvent, "positions": PositionEvent, "executions": ExecutionEvent}
                clients = {(hub, name): await subscriber(hub, name) for hub in (here, there) for name in kinds}
                await two.execute(market_buy(qty="2"))
                await one.execute(limit_buy())
                for (_, name), client in clients.items():
                    due = [seq for seq in seqs(journal, kinds[name]) if seq > old]
                    await eventually(lambda client=client, due=due: client.seqs == due, name)  # type: ignore[misc]
                assert journal.reads == 0, "the hints hold everything"
                executed = clients[there, "executions"].updates[0]
                assert (executed["orderId"], executed["qty"], executed["price"]) == ("2", 2, 100.01)

    play(scene)


def test_D01_topics_of_several_names_of_one_account_and_of_other_accounts_are_kept_apart() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal) as hub:
                mine, mine_too = await subscriber(hub, "orders"), await subscriber(hub, "orders", account_id="DEMO-2")
                other = await subscriber(hub, "orders", account_id="ACC-2")
                await one.execute(limit_buy())
                await one.execute(limit_buy(), account_id="ACC-2")
                await eventually(lambda: other.seqs, "the other account's order")
                assert mine.seqs == mine_too.seqs == [1]
                assert len(other.seqs) == 1
                mine.hang_up()
                await mine.gone()
                await one.execute(limit_buy())
                assert mine_too.seqs == [1, 2]

    play(scene)


def test_D04_without_hints_the_log_is_polled() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        deaf = MemoryBus()
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal, bus=deaf, poll_s=0.01, listen=False) as hub:
                client = await subscriber(hub, "orders")
                await one.execute(limit_buy())
                await one.execute(limit_buy())
                await eventually(lambda: client.seqs == [1, 2], "what the poll finds")
        await deaf.close()

    play(scene)


def test_D01_a_new_subscriber_gets_nothing_old_though_the_instance_lags_behind_the_log() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        deaf = MemoryBus()
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal, bus=deaf, listen=False) as hub:
                early = await subscriber(hub, "orders")
                await one.execute(limit_buy())
                await one.execute(limit_buy())
                late = await subscriber(hub, "orders", account_id="DEMO-2")
                await eventually(lambda: early.seqs == [1, 2], "what the subscription of another one brought up")
                assert late.seqs == []
        await deaf.close()

    play(scene)


class Reconnecting(MemoryBus):
    """A bus that can come back, and passes nothing on until then."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: list[object] = []

    def on_reconnect(self, callback: object) -> None:
        self.callbacks.append(callback)


def test_D04_when_the_bus_comes_back_the_log_is_looked_at_at_once() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        bus = Reconnecting()
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal, bus=bus, listen=False) as hub:
                client = await subscriber(hub, "orders")
                await one.execute(limit_buy())
                assert client.seqs == []
                for callback in bus.callbacks:
                    await callback()  # type: ignore[operator]
                await eventually(lambda: client.seqs == [1], "what was missed")
        await bus.close()

    play(scene)


class Failing(MemoryJournal):
    """A log that cannot be read for a while."""

    broken = False

    def events_after(self, account_id: str, seq: int, kinds: Collection[type[Event]] | None, limit: int) -> list[Event]:
        if self.broken:
            raise StoreError("locked")
        return super().events_after(account_id, seq, kinds, limit)

    def last_seqs(self, account_ids: Collection[str]) -> dict[str, int]:
        if self.broken:
            raise StoreError("locked")
        return super().last_seqs(account_ids)


def test_D04_a_log_that_cannot_be_read_delays_updates_and_refuses_new_streams_in_words() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        log = Failing()
        log.events = journal.events
        deaf = MemoryBus()
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, log, bus=deaf, poll_s=0.01, listen=False) as hub:
                client = await subscriber(hub, "orders")
                log.broken = True
                await one.execute(limit_buy())
                refused = await client.subscribe("positions", accountId=ACCOUNT)
                assert refused["payload"]["code"] == "refused"
                other = await client.subscribe("executions", since=0, accountId=ACCOUNT)
                assert other["payload"]["code"] == "refused"
                log.broken = False
                await eventually(lambda: client.seqs == [1], "what was delayed")
        await deaf.close()

    play(scene)


def test_D04_a_follower_that_falls_behind_reads_the_log_in_pages_and_gives_the_loop_its_turns() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        deaf = MemoryBus()
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal, bus=deaf, poll_s=0.05, listen=False) as hub:
                client = await subscriber(hub, "orders")
                await one.execute(limit_buy())
                (event,) = journal.events[ACCOUNT]
                journal.events[ACCOUNT] += [replace(event, seq=seq) for seq in range(2, 1501)]
                await eventually(lambda: len(client.seqs) == 1500, "all of them")
                assert client.seqs == list(range(1, 1501))
                assert journal.reads >= 3
                assert client.socket.closed is None
        await deaf.close()

    play(scene)


def test_W05_a_commit_of_thousands_of_events_closes_no_subscriber_that_reads() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal) as hub:
                client = await subscriber(hub, "orders")
                await one.execute(limit_buy())
                (event,) = journal.events[ACCOUNT]
                many = [replace(event, seq=seq) for seq in range(2, 3001)]
                journal.events[ACCOUNT] += many
                client.socket.writable = False
                one.writer.telling.written(ACCOUNT, many)
                client.socket.read_again()
                await eventually(lambda: len(client.seqs) == 3000, "all of them")
                assert client.socket.closed is None

    play(scene)


@pytest.mark.parametrize("since", [0, 3, 7])
def test_W07_a_subscriber_that_resumes_gets_each_event_once_in_order_while_events_are_written(since: int) -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one, two)
            for _ in range(5):
                await one.execute(market_buy(qty="0.1"))

            async def trade() -> None:
                for number in range(40):
                    await (one, two)[number % 2].execute(market_buy(qty="0.1"))

            async with streaming(one, journal) as here, streaming(two, journal) as there:
                trading = asyncio.create_task(trade())
                clients = []
                for _ in range(10):
                    clients += [await subscriber(hub, "orders", since=since) for hub in (here, there)]
                    await asyncio.sleep(0.002)
                await trading
                due = [seq for seq in seqs(journal, OrderEvent) if seq > since]
                for client in clients:
                    await eventually(lambda client=client: len(client.seqs) >= len(due), "all of them")  # type: ignore[misc]
                    assert client.seqs == due

    play(scene)


def test_W07_what_cannot_be_resumed_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            await one.execute(limit_buy())
            async with streaming(one, journal) as hub:
                client = await subscriber(hub, "positions")
                reply = await client.subscribe("orders", since=2, accountId=ACCOUNT)
                assert reply["payload"]["code"] == "cannot_resume"
                assert "last event is 1" in reply["payload"]["detail"]
                at_the_end = await client.subscribe("orders", since=1, accountId=ACCOUNT)
                assert at_the_end["payload"]["status"] == "ok"

    play(scene)


def test_W07_an_order_of_old_with_half_a_character_is_sent_and_replayed() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal) as hub:
                live = await subscriber(hub, "orders")
                await one.execute(replace(limit_buy(), custom_fields=r'{"a":"\ud800"}'))
                late = await subscriber(hub, "orders", since=0)
                for client in (live, late):
                    await eventually(lambda client=client: client.seqs == [1], "the order")  # type: ignore[misc]
                    assert client.updates[0]["customFields"] == {"a": "\ufffd"}

    play(scene)


def test_W07_an_event_that_cannot_be_shown_is_never_missed_unknowingly() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal) as hub:
                live, other = await subscriber(hub, "orders"), await subscriber(hub, "positions")
                await one.execute(replace(limit_buy(), custom_fields="no JSON"))
                await eventually(lambda: live.socket.closed, "the end of the connection")
                assert live.socket.closed == (1011, f'cannot send an update of orders:{{"accountId":"{ACCOUNT}"}}')
                reply = await FakeClient(hub).subscribe("orders", since=0, accountId=ACCOUNT)
                assert reply["payload"]["code"] == "cannot_resume"
                told = reply["payload"]["detail"]
                assert told == "Event 1 cannot be shown: subscribe without `since` first, then read the state."
                anew = await subscriber(hub, "orders")
                await one.execute(limit_buy())
                await eventually(lambda: anew.seqs == [2], "what comes after it")
                assert other.socket.closed is None

    play(scene)


def test_W07_too_much_to_replay_is_refused_in_words() -> None:
    from trading_api.modules.broker.streams.replay import missed
    from trading_api.shared.ws import CannotResume

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            for _ in range(4):
                await one.execute(limit_buy())
            assert len(await missed(journal, ACCOUNT, OrderEvent, 0, lambda event: event, most=4)) == 4
            with pytest.raises(CannotResume, match="More than 3"):
                await missed(journal, ACCOUNT, OrderEvent, 0, lambda event: event, most=3)
            last = journal.events[ACCOUNT][-1]
            journal.events[ACCOUNT] += [replace(last, seq=seq) for seq in range(5, 1601)]
            updates = await missed(journal, ACCOUNT, OrderEvent, 2, lambda event: event)
            assert [update.seq for update in updates] == list(range(3, 1601)), "in pages"

    play(scene)


def test_D01_equity_comes_at_once_then_with_fills_and_quotes_wherever_it_is_asked() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world, tick_s=0.01) as one, instance(world) as two:
            await ready(one, two)
            await one.execute(market_buy(qty="100"))
            async with streaming(one, journal) as here, streaming(two, journal) as there:
                clients = [await subscriber(hub, "equity") for hub in (here, there)]
                for client in clients:
                    await eventually(lambda client=client: client.updates, "the present value")  # type: ignore[misc]
                    assert client.updates[0]["equity"] == 99_998
                one.market.quote("AAPL", "101.01", "101.03")
                for client in clients:
                    await eventually(lambda c=client: c.updates[-1]["unrealizedPL"] == 100, "the quote's")  # type: ignore[misc]
                await two.execute(market_buy(qty="1"))
                for client in clients:
                    await eventually(lambda c=client: len(c.updates) == 3, "the fill's")  # type: ignore[misc]
                    assert [each["equity"] for each in client.updates] == [99_998, 100_100, 100_099.98]
                late = await subscriber(there, "equity", account_id="DEMO-2")
                await eventually(lambda: late.updates, "the present value, under another name")
                assert late.updates[0]["equity"] == 100_099.98

    play(scene)


def test_D01_the_first_of_a_topic_gets_the_equity_of_now_however_seldom_quotes_are_told() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world, tick_s=60) as one:
            await ready(one)
            await one.execute(market_buy(qty="100"))
            async with streaming(one, journal) as hub:
                first = await subscriber(hub, "equity")
                await eventually(lambda: first.updates, "the present value")
                one.market.quote("AAPL", "101.01", "101.03")
                other = await subscriber(hub, "equity", account_id="DEMO-2")
                await eventually(lambda: other.updates, "the present value, under another name")
                assert other.updates[0]["equity"] == 100_100

    play(scene)


def test_D01_equity_comes_as_soon_as_there_is_a_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading_api.modules.broker.streams.current_equity.PATIENCE_S", 0.02)
    monkeypatch.setattr("trading_api.modules.broker.streams.account_streams._ASK_AGAIN_S", 0.01)

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            one.memory_lease.lose()
            world.leases.holder = None
            async with streaming(one, journal) as hub:
                client = await subscriber(hub, "equity")
                assert client.updates == []
                world.leases.offer()
                await eventually(lambda: client.updates, "the equity")
                assert client.updates[0]["equity"] == 100_000

    play(scene)


class Kept:
    """A topic that keeps what it gets."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def publish(self, _data: object, *, seq: int) -> None:
        self.seqs.append(seq)


def test_D04_doubled_late_and_disordered_hints_change_nothing() -> None:
    from trading_api.modules.broker.streams.follower import Follower
    from trading_api.modules.broker.writer.hint import Hint, hint_of

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            for number in range(1, 9):
                await one.execute(limit_buy() if number % 2 else CancelOrder(str((number + 1) // 2)))
            events: Sequence[Event] = journal.events[ACCOUNT]
            topic, follower = Kept(), Follower(ACCOUNT, journal, lambda event: event)
            follower.add(topic, OrderEvent, 0)  # type: ignore[arg-type]
            follower.begin(0)
            follower.take(hint_of(events[2:4], inline=16))
            await eventually(lambda: len(topic.seqs) == 8, "what the hint left out, and what came since")
            for hint in (hint_of(events[1:2], inline=16), hint_of(events[0:3], inline=16), Hint(5, 6), Hint(1, 99)):
                follower.take(hint)
                follower.take(hint)
            reading = follower.end()
            assert reading is not None
            await asyncio.wait({reading})
            assert topic.seqs == list(range(1, 9))

    play(scene)


def test_D04_a_hint_that_overlaps_what_was_published_adds_what_is_new_without_reading() -> None:
    from trading_api.modules.broker.streams.follower import Follower
    from trading_api.modules.broker.writer.hint import hint_of

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            for _ in range(6):
                await one.execute(limit_buy())
            events = journal.events[ACCOUNT]
            topic, follower = Kept(), Follower(ACCOUNT, journal, lambda event: event)
            follower.add(topic, OrderEvent, 0)  # type: ignore[arg-type]
            follower.begin(0)
            for first, last in ((0, 3), (1, 5), (1, 3), (4, 6)):
                follower.take(hint_of(events[first:last], inline=16))
            assert topic.seqs == list(range(1, 7))
            assert journal.reads == 0

    play(scene)


def test_D04_an_equity_of_an_older_state_is_not_shown_after_a_newer_one() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            async with streaming(one, journal) as hub:
                client = await subscriber(hub, "equity")
                await one.execute(market_buy(qty="10"))
                await eventually(lambda: len(client.updates) == 2, "the fill's")
                await one.execute(market_buy(qty="10"))
                await eventually(lambda: len(client.updates) == 3, "the next fill's")
                stale = next(event for event in journal.events[ACCOUNT] if isinstance(event, EquityEvent))
                one.writer.telling.worth(replace(stale, seq=stale.seq + 1))
                await one.execute(market_buy(qty="10"))
                await eventually(lambda: len(client.updates) >= 4, "the last fill's")
                worths = [event.equity.equity for event in journal.events[ACCOUNT] if isinstance(event, EquityEvent)]
                assert [each["equity"] for each in client.updates[1:]] == [float(worth or 0) for worth in worths]

    play(scene)
