"""Leases among real processes that are killed, stopped, paused and woken, in SQLite and in PostgreSQL."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support.stopwatch import Stopwatch
from support.store_lease import LeaseProcess, at, lease_process, written
from support.store_urls import KINDS, migrated_store
from support.waiting import wait_until

from trading_api.shared.store.engine import open_engine

pytestmark = pytest.mark.integration

CRASH_S = 2.0
"""What `architecture.md` allows a crash to cost."""


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with migrated_store(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def pair(url: str) -> Iterator[tuple[LeaseProcess, LeaseProcess]]:
    """Two processes; the first holds the lease."""
    with ExitStack() as stack:
        processes = [stack.enter_context(lease_process(url, "quotes", holder)) for holder in ("a", "b")]
        wait_until(lambda: any(process.event("held") for process in processes), what="one to hold the lease")
        processes.sort(key=lambda process: process.event("held") is None)
        assert processes[1].event("held") is None
        yield processes[0], processes[1]


def test_D04_a_killed_holder_is_replaced_within_two_seconds(pair: tuple[LeaseProcess, LeaseProcess]) -> None:
    holder, other = pair
    watch = Stopwatch(other.process.pid)
    holder.send(signal.SIGKILL)
    held = other.wait_for("held")
    assert watch.until(at(held)) < CRASH_S
    assert held["epoch"] == 2


def test_D04_a_clean_stop_hands_over_at_once(pair: tuple[LeaseProcess, LeaseProcess]) -> None:
    holder, other = pair
    watch = Stopwatch(holder.process.pid, other.process.pid)
    holder.send(signal.SIGTERM)
    held = other.wait_for("held")
    stopped = holder.wait_for("not held")
    assert at(stopped) <= at(held), "two held it"
    # A look is a tenth of a second away; the rest is for a busy machine.
    assert watch.until(at(held)) < 1
    assert holder.process.wait(60) == 0


def test_D04_a_paused_holder_that_wakes_up_stores_nothing(
    pair: tuple[LeaseProcess, LeaseProcess], engine: Engine
) -> None:
    holder, other = pair
    holder.tell("write")
    before = holder.wait_for("wrote")["key"]
    watch = Stopwatch(other.process.pid)
    holder.send(signal.SIGSTOP)
    assert watch.until(at(other.wait_for("held"))) < CRASH_S
    holder.tell("write")
    woken = holder.send(signal.SIGCONT)
    holder.wait_for("lost", after=woken)
    assert holder.wait_for("not held", after=woken)["epoch"] is None
    other.tell("write")
    after = other.wait_for("wrote")["key"]
    assert written(engine) == {before: 1, after: 2}


def test_D04_a_holder_paused_inside_its_transaction_does_not_mix_with_another(
    pair: tuple[LeaseProcess, LeaseProcess], engine: Engine
) -> None:
    holder, other = pair
    holder.tell("open")
    holder.wait_for("inside")
    watch = Stopwatch(other.process.pid)
    holder.send(signal.SIGSTOP)
    holder.tell("commit")
    if engine.dialect.name == "postgresql":
        # The server ends the paused one's transaction.
        assert watch.until(at(other.wait_for("held"))) < CRASH_S + 1.5
        woken = holder.send(signal.SIGCONT)
        holder.wait_for("failed", after=woken)
        assert written(engine) == {}
    else:
        # It has the only write lock there is, so nobody can take over before it commits or dies.
        woken = holder.send(signal.SIGCONT)
        key = holder.wait_for("wrote", after=woken)["key"]
        assert written(engine) == {key: 1}


def test_D04_a_holder_killed_inside_its_transaction_leaves_nothing(
    pair: tuple[LeaseProcess, LeaseProcess], engine: Engine
) -> None:
    holder, other = pair
    holder.tell("open")
    holder.wait_for("inside")
    watch = Stopwatch(other.process.pid)
    holder.send(signal.SIGKILL)
    assert watch.until(at(other.wait_for("held"))) < CRASH_S
    assert written(engine) == {}


@pytest.mark.long
def test_D04_the_last_one_alive_gets_it_back(pair: tuple[LeaseProcess, LeaseProcess]) -> None:
    holder, other = pair
    paused = holder.send(signal.SIGSTOP)
    other.wait_for("held")
    killed = other.send(signal.SIGKILL)
    holder.send(signal.SIGCONT)
    again = holder.wait_for("held", after=killed)
    assert again["epoch"] == 3
    assert at(again) > paused
