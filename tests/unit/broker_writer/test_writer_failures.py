"""What goes wrong at the writer, and that nothing is lost or done twice for it (D04)."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from support.broker_writer import (
    ACCOUNT,
    NOW_MS,
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

from trading_api.models.broker import OrderStatus
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.events import OrderEvent
from trading_api.modules.broker.domain.outcome import Refusal
from trading_api.modules.broker.domain.requests import CancelOrder, ModifyOrder
from trading_api.modules.broker.journal.batch import Batch
from trading_api.modules.broker.writer.commit_watch import NO_STORE, CommitWatch
from trading_api.modules.broker.writer.errors import CommandFailed, KeyReused, NoWriter, Overloaded
from trading_api.shared.lease import LeaseLost
from trading_api.shared.store.errors import StoreError


def placed(journal: MemoryJournal, account_id: str = ACCOUNT) -> list[str]:
    """The ids of all orders in the log, as often as they were accepted."""
    events = journal.events.get(account_id, [])
    return [
        event.order.id
        for event in events
        if isinstance(event, OrderEvent) and event.order.status is OrderStatus.WORKING
    ]


async def ready(one: Instance) -> None:
    one.market.know("AAPL", "99.99", "100.01")
    await eventually(lambda: one.writer.is_ready, "the writer")


@pytest.mark.parametrize(
    "failure",
    [StoreError("the disk is full"), StoreError("another process is writing"), LeaseLost("taken")],
    ids=["full", "locked", "fenced"],
)
def test_D04_a_commit_that_fails_is_done_again_under_the_same_id_and_once(failure: Exception) -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        journal.failures = [failure]
        async with instance(world) as one:
            await ready(one)
            answer = asyncio.ensure_future(one.execute(limit_buy()))
            if isinstance(failure, LeaseLost):
                await eventually(lambda: not journal.failures, "the commit that is fenced off")
                one.memory_lease.lose()
                world.leases.holder = None
                world.leases.offer()
            assert await answer == "1"
            assert placed(journal) == ["1"]
            assert journal.loads == 2, "what ran ahead of the store was dropped"

    play(scene)


def test_D04_when_a_commit_fails_all_that_ran_ahead_of_it_is_done_again_and_once() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            journal.gate.clear()
            journal.failures = [StoreError("the disk is full")]
            first = [asyncio.ensure_future(one.execute(limit_buy())) for _ in range(5)]
            await eventually(journal.entered.is_set, "a commit under way")
            second = [asyncio.ensure_future(one.execute(limit_buy())) for _ in range(5)]
            await asyncio.sleep(0)
            journal.gate.set()
            answers = await asyncio.gather(*first, *second)
            assert sorted(map(str, answers), key=int) == [str(number) for number in range(1, 11)]
            assert sorted(placed(journal), key=int) == [str(number) for number in range(1, 11)]

    play(scene)


def test_D04_killed_between_commit_and_answer_the_retry_gets_the_stored_answer() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            journal.after = [StoreError("the connection broke when it was written already")]
            assert await one.execute(limit_buy()) == "1"
            assert placed(journal) == ["1"]
            assert journal.lookups == 1

    play(scene)


def test_D04_a_store_that_stays_away_is_503_with_its_reason_and_the_retry_tells() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        journal.failures = [StoreError("trading.db: the disk is full")] * 50
        async with instance(world, deadline_s=0.3) as one:
            await ready(one)
            with pytest.raises(NoWriter, match="disk is full") as raised:
                await one.execute(limit_buy(), command_id="mine")
            assert raised.value.retry_after_s >= 1
            journal.failures = []
            await eventually(lambda: one.writer.is_ready, "the writer")
            assert await one.execute(limit_buy(), command_id="mine") == "1"
            assert placed(journal) == ["1"]

    play(scene)


def test_D04_accounts_that_cannot_be_loaded_are_told_of_and_tried_again() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        journal.load_failures = [StoreError("locked"), RuntimeError("row 7 is unreadable"), StoreError("locked")]
        async with instance(world) as one:
            one.market.know("AAPL", "99.99", "100.01")
            await eventually(lambda: "row 7" in one.writer.trouble, "what is wrong, in words")
            assert await one.execute(limit_buy()) == "1"
            assert one.writer.trouble == ""

    play(scene)


def test_D04_a_defect_in_the_domain_drops_the_accounts_in_memory_and_fails_that_command_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = Desk.execute
    poison = limit_buy(price="66.66")

    def execute(self: Desk, account_id: str, request: object, *rest: object) -> object:
        outcome = original(self, account_id, request, *rest)  # type: ignore[arg-type]
        if request == poison:
            raise ZeroDivisionError
        return outcome

    async def scene(world: World, journal: MemoryJournal) -> None:
        monkeypatch.setattr(Desk, "execute", execute)
        async with instance(world) as one:
            await ready(one)
            good, bad = (asyncio.ensure_future(one.execute(order)) for order in (limit_buy(), poison))
            with pytest.raises(CommandFailed):
                await bad
            assert await good == "1"
            assert await one.execute(limit_buy()) == "2"
            assert placed(journal) == ["1", "2"], "what the defect left half done is gone"

    play(scene)


def test_D04_a_quote_that_breaks_the_desk_does_not_end_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    async def scene(world: World, _journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            with monkeypatch.context() as patched:
                patched.setattr(Desk, "on_market", break_down)
                one.market.quote("AAPL", "98.00", "98.02")
                assert not one.writer.is_ready
            assert await one.execute(limit_buy()) == "1"

    play(scene)


def test_D04_a_full_queue_refuses_at_once() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world, most=50) as one:
            await ready(one)
            journal.gate.clear()
            first = asyncio.ensure_future(one.execute(limit_buy()))
            await eventually(journal.entered.is_set, "a commit under way")
            others = [asyncio.ensure_future(one.execute(CancelOrder("9"))) for _ in range(49)]
            await asyncio.sleep(0)
            began = time.monotonic()
            with pytest.raises(Overloaded):
                await one.execute(limit_buy())
            assert time.monotonic() - began < 20
            journal.gate.set()
            assert await first == "1"
            assert all(isinstance(answer, Refusal) for answer in await asyncio.gather(*others))
            assert await one.execute(limit_buy()) == "2"

    play(scene)


def test_D04_a_commit_that_never_ends_is_503_and_the_retry_tells() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world, tick_s=0.01) as one:
            await ready(one)
            journal.gate.clear()
            first = asyncio.ensure_future(one.execute(limit_buy(), command_id="mine"))
            await eventually(journal.entered.is_set, "a commit under way")
            loop = asyncio.get_running_loop()
            late = loop.time() + 60
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(loop, "time", lambda: late)
                with pytest.raises(NoWriter):
                    await first
            again = asyncio.ensure_future(one.execute(limit_buy(), command_id="mine"))
            await asyncio.sleep(0)
            journal.gate.set()
            assert await again == "1"
            assert placed(journal) == ["1"]

    play(scene)


def test_D04_one_who_gives_up_takes_nobody_with_him() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            journal.gate.clear()
            impatient, patient = (asyncio.ensure_future(one.execute(limit_buy(), command_id="key:k")) for _ in range(2))
            await eventually(journal.entered.is_set, "a commit under way")
            impatient.cancel()
            await asyncio.wait({impatient})
            journal.gate.set()
            assert await patient == "1"

    play(scene)


def test_D04_the_same_key_with_another_body_is_refused_in_flight_and_stored() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            journal.gate.clear()
            first = asyncio.ensure_future(one.execute(limit_buy(), command_id="key:k", body_hash="a"))
            await eventually(journal.entered.is_set, "a commit under way")
            with pytest.raises(KeyReused):
                await one.execute(limit_buy(qty="2"), command_id="key:k", body_hash="b")
            journal.gate.set()
            assert await first == "1"
            with pytest.raises(KeyReused):
                await one.execute(limit_buy(qty="2"), command_id="key:k", body_hash="b")
            assert await one.execute(limit_buy(), command_id="key:k", body_hash="a") == "1"
            assert await one.execute(limit_buy(), account_id="ACC-2", command_id="key:k", body_hash="c") == "1"

    play(scene)


def test_D04_a_refusal_is_kept_for_a_key_and_for_nobody_else() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            refused = await one.execute(CancelOrder("7"), command_id="key:k")
            assert isinstance(refused, Refusal)
            assert await one.execute(CancelOrder("7"), command_id="key:k") == refused
            await one.execute(CancelOrder("7"))
            assert list(journal.stored) == [(ACCOUNT, "key:k")]

    play(scene)


def test_D03_an_order_that_is_malformed_does_not_use_up_its_key() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            wrong = await one.execute(limit_buy(price="1.001"), command_id="key:k", body_hash="wrong")
            assert isinstance(wrong, Refusal)
            assert (journal.stored, journal.events.get(ACCOUNT)) == ({}, None)
            assert await one.execute(limit_buy(), command_id="key:k", body_hash="right") == "1"
            with pytest.raises(KeyReused):
                await one.execute(limit_buy(price="1.001"), command_id="key:k", body_hash="wrong")
            wrong = await one.execute(ModifyOrder("1", limit_price=Decimal("1.001")), command_id="key:m", body_hash="w")
            assert isinstance(wrong, Refusal)
            assert list(journal.stored) == [(ACCOUNT, "key:k")]

    play(scene)


def test_D03_the_key_of_an_order_that_was_stored_as_rejected_is_used() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            refused = await one.execute(limit_buy(qty="10000000"), command_id="key:k", body_hash="much")
            assert isinstance(refused, Refusal)
            assert await one.execute(limit_buy(qty="10000000"), command_id="key:k", body_hash="much") == refused
            with pytest.raises(KeyReused):
                await one.execute(limit_buy(), command_id="key:k", body_hash="less")
            assert len(journal.events[ACCOUNT]) == 1

    play(scene)


def test_D04_twenty_equal_requests_at_once_over_two_instances_are_one_order() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one)
            two.market.know("AAPL", "99.99", "100.01")
            await eventually(lambda: two.commands._news.epoch, "news of the writer")
            calls = [each.execute(market_buy(), command_id="key:k") for each in (one, two) * 10]
            assert await asyncio.gather(*calls) == ["1"] * 20
            orders = [event.order.id for event in journal.events[ACCOUNT] if isinstance(event, OrderEvent)]
            assert orders == ["1"]

    play(scene)


class Commits:
    """Commits that a test ends, with two clocks that it moves."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self.watch = CommitWatch(self.journal, lambda: NOW_MS + int(self.clock.now - 1000) * 1000, clock=self.clock)

    def fails(self, error: Exception) -> str:
        """What is amiss after a commit that ends so."""
        self.journal.failures = [error]
        with pytest.raises(type(error)):
            self.watch.commit(Batch(), lambda _: None)
        return self.watch.problem


def test_D03_after_a_commit_that_failed_the_store_is_told_of_until_one_succeeds() -> None:
    commits = Commits()
    assert commits.fails(LeaseLost("taken")) == "", "another one writes, and that is no failure of the store"
    told = "Orders cannot be stored at the moment: a commit failed at 00:00:00 UTC, and none has succeeded since."
    assert commits.fails(StoreError("/secret/orders.db: locked")) == told
    commits.clock.now += 3600
    assert commits.fails(RuntimeError("a defect")) == told, "of the first one"
    assert commits.fails(LeaseLost("taken")) == "", "the next writer knows better"
    assert commits.fails(StoreError("locked")).count("01:00:00") == 1
    commits.watch.commit(Batch(), lambda _: None)
    assert commits.watch.problem == ""


def test_D03_a_commit_that_takes_long_is_told_of_while_it_is_under_way() -> None:
    commits = Commits()
    commits.journal.gate.clear()
    with ThreadPoolExecutor(1) as thread:
        work = thread.submit(commits.watch.commit, Batch(), lambda _: None)
        commits.journal.entered.wait(60)
        assert commits.watch.problem == ""
        commits.clock.now += 5
        assert "a commit is under way since 00:00:00 UTC, and none has succeeded since." in commits.watch.problem
        commits.journal.gate.set()
        work.result(60)
    assert commits.watch.problem == ""


def test_D03_where_nobody_orders_the_writer_tries_by_itself_whether_the_store_takes_something_again() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        journal.failures = [StoreError("locked")] * 100_000
        async with instance(world, tick_s=0.01, deadline_s=0.2) as one, instance(world) as two:
            await ready(one)
            with pytest.raises(NoWriter, match="locked"):
                await one.execute(limit_buy())
            await eventually(lambda: two.writer.news.trouble, "that others hear of it")
            await eventually(lambda: one.writer.is_ready and journal.trials > 2, "trials")
            assert one.writer.problem.startswith(NO_STORE[:-1])
            assert two.writer.news.trouble == one.writer.problem
            journal.failures.clear()
            await eventually(lambda: not one.writer.problem, "a trial that succeeds")
            await eventually(lambda: not two.writer.news.trouble, "that others hear of that, too")
            trials = journal.trials
            assert await two.execute(limit_buy()) == "1"
            assert journal.trials == trials, "one that writes is not tried"

    play(scene)
