"""Group commit by itself: one transaction at a time, answers after it, and what a failure does (D04)."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from trading_api.modules.broker.writer.group_commit import GroupCommit


class Store:
    """Takes groups of numbers, when its gate is open."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def commit(self, events: Sequence[int], _answers: Sequence[str]) -> None:
        self.entered.set()
        assert self.gate.wait(60)
        if self.error is not None:
            raise self.error
        self.groups.append(list(events))


class Waiter:
    def __init__(self) -> None:
        self.told: list[str] = []

    def settle(self) -> None:
        self.told.append("settled")

    def fail(self, error: Exception) -> None:
        self.told.append(f"failed: {error}")


class Bench:
    """A group commit, its store, and what it said."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self.store = Store()
        self.written: list[list[int]] = []
        self.failed: list[str] = []
        self.commit: GroupCommit[int, str] = GroupCommit(
            self.store.commit,
            thread,
            written=lambda events: self.written.append(list(events)),
            failed=lambda error: self.failed.append(str(error)),
        )

    async def until_entered(self) -> None:
        while not self.store.entered.is_set():
            await asyncio.sleep(0.001)


def run(scene: Callable[[Bench], Awaitable[None]]) -> None:
    async def inside() -> None:
        with ThreadPoolExecutor(max_workers=1) as thread:
            bench = Bench(thread)
            try:
                await asyncio.wait_for(scene(bench), 60)
            finally:
                bench.store.gate.set()

    asyncio.run(inside())


def test_D04_what_arrives_in_one_turn_is_one_transaction_and_what_arrives_during_it_is_the_next() -> None:
    async def scene(bench: Bench) -> None:
        bench.store.gate.clear()
        first, second = Waiter(), Waiter()
        bench.commit.add([1], [], first)
        bench.commit.add([2], [], None)
        await bench.until_entered()
        for number in (3, 4, 5):
            bench.commit.add([number], [], second)
        assert first.told == []
        bench.store.gate.set()
        await bench.commit.idle()
        assert bench.store.groups == bench.written == [[1, 2], [3, 4, 5]]
        assert (first.told, second.told) == (["settled"], ["settled"] * 3)

    run(scene)


def test_D04_what_writes_nothing_costs_no_transaction_but_waits_for_what_it_rests_on() -> None:
    async def scene(bench: Bench) -> None:
        alone, after = Waiter(), Waiter()
        bench.commit.add([], [], alone)
        await bench.commit.idle()
        assert (alone.told, bench.store.groups) == (["settled"], [])
        bench.store.gate.clear()
        bench.commit.add([1], [], None)
        await bench.until_entered()
        bench.commit.add([], [], after)
        await asyncio.sleep(0)
        assert after.told == []
        bench.store.gate.set()
        await bench.commit.idle()
        assert (after.told, bench.store.groups) == (["settled"], [[1]])

    run(scene)


def test_D04_a_failed_commit_fails_what_it_held_and_all_that_ran_ahead_of_it_and_is_told_once() -> None:
    async def scene(bench: Bench) -> None:
        bench.store.gate.clear()
        bench.store.error = RuntimeError("the disk is full")
        held, ahead, late = Waiter(), Waiter(), Waiter()
        bench.commit.add([1], [], held)
        await bench.until_entered()
        bench.commit.add([2], [], ahead)
        bench.store.gate.set()
        await bench.commit.idle()
        bench.store.error = None
        bench.commit.add([3], [], late)
        await bench.commit.idle()
        assert [each.told for each in (held, ahead, late)] == [["failed: the disk is full"]] * 3
        assert (bench.failed, bench.store.groups, bench.written) == (["the disk is full"], [], [])

    run(scene)


@pytest.mark.parametrize("goes_well", [True, False])
def test_D04_what_is_in_the_hands_of_the_store_when_it_is_abandoned_ends_as_it_ends(goes_well: bool) -> None:
    async def scene(bench: Bench) -> None:
        bench.store.gate.clear()
        bench.store.error = None if goes_well else RuntimeError("fenced")
        held, ahead = Waiter(), Waiter()
        bench.commit.add([1], [], held)
        await bench.until_entered()
        bench.commit.add([2], [], ahead)
        bench.commit.abandon(RuntimeError("the lease is lost"))
        assert (held.told, ahead.told) == ([], ["failed: the lease is lost"])
        bench.store.gate.set()
        await bench.commit.idle()
        assert held.told == (["settled"] if goes_well else ["failed: fenced"])
        assert bench.written == ([[1]] if goes_well else [])
        assert bench.failed == [], "whoever abandons it knows"

    run(scene)


def test_D04_abandoned_before_the_transaction_began_nothing_is_written() -> None:
    async def scene(bench: Bench) -> None:
        waiter = Waiter()
        bench.commit.add([1], [], waiter)
        bench.commit.abandon(RuntimeError("the lease is lost"))
        await bench.commit.idle()
        assert (waiter.told, bench.store.groups) == (["failed: the lease is lost"], [])

    run(scene)
