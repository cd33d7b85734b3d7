"""One suite for leases, in SQLite and in PostgreSQL: at most one holder, epochs that grow, writes that are fenced."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Engine, func, select
from support.fake_clock import FakeClock
from support.store_lease import ROWS, write_row, written
from support.store_urls import KINDS, migrated_store

from trading_api.shared.lease import Lease, LeaseLost
from trading_api.shared.store import postgres_engine
from trading_api.shared.store.engine import open_engine, reading, writing
from trading_api.shared.store.errors import StoreError
from trading_api.shared.store.tables import leases

pytestmark = pytest.mark.integration

TTL = 1.5
LOOK = 0.1


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
def clock() -> FakeClock:
    return FakeClock()


def contender(engine: Engine, clock: FakeClock, holder: str) -> Lease:
    return Lease(engine, "quotes", holder=holder, ttl=TTL, clock=clock)


@pytest.fixture
def pair(engine: Engine, clock: FakeClock) -> tuple[Lease, Lease]:
    """The first holds the lease."""
    first, second = contender(engine, clock, "first"), contender(engine, clock, "second")
    assert first.look()
    return first, second


def watch_for(lease: Lease, clock: FakeClock, seconds: float) -> bool:
    """Look every 0.1 s; True as soon as it is got."""
    end = clock.now + seconds
    while clock.now < end:
        if lease.look():
            return True
        clock.now += LOOK
    return False


def store_row(engine: Engine, lease: Lease, key: str) -> None:
    with writing(engine) as connection:
        lease.fence(connection)
        write_row(connection, key, lease.epoch or -1)


def test_D04_the_first_look_takes_a_free_lease(engine: Engine, clock: FakeClock) -> None:
    lease = contender(engine, clock, "first")
    assert (lease.held, lease.epoch) == (False, None)
    assert lease.look()
    assert (lease.held, lease.epoch) == (True, 1)


def test_D04_nobody_takes_a_lease_that_is_kept_alive(pair: tuple[Lease, Lease], clock: FakeClock) -> None:
    first, second = pair
    for _ in range(50):
        assert first.beat()
        assert not watch_for(second, clock, TTL / 3)
    assert (first.held, first.epoch, second.held) == (True, 1, False)


def test_D04_a_silent_holder_is_replaced_after_its_ttl(pair: tuple[Lease, Lease], clock: FakeClock) -> None:
    first, second = pair
    begun = clock.now
    assert watch_for(second, clock, 2.0)
    assert TTL <= clock.now - begun <= TTL + LOOK + 0.01
    assert (second.epoch, second.held, first.held) == (2, True, False)
    assert not first.beat()
    assert first.epoch is None


def test_D04_a_holder_stops_being_sure_before_another_can_take_over(
    pair: tuple[Lease, Lease], clock: FakeClock
) -> None:
    first, second = pair
    while not second.look():
        assert first.held or clock.now - 1000.0 >= TTL
        clock.now += 0.01
        assert not (first.held and second.held)
    assert not first.held


def test_D04_a_late_beat_keeps_a_lease_that_nobody_took(pair: tuple[Lease, Lease], clock: FakeClock) -> None:
    first, second = pair
    clock.now += 10 * TTL
    assert not first.held
    assert first.beat()
    assert (first.held, first.epoch) == (True, 1)
    assert not second.look()


def test_D04_a_holder_that_writes_without_a_pause_keeps_its_lease(
    pair: tuple[Lease, Lease], engine: Engine, clock: FakeClock
) -> None:
    """SQLite lets whoever writes in again before a beat that waits. PostgreSQL keeps a queue: there beats are beats."""
    first, second = pair
    for number in range(8):
        if engine.dialect.name == "postgresql":
            assert first.beat()
        store_row(engine, first, str(number))
        assert not watch_for(second, clock, TTL * 0.8)
        assert (first.held, second.held) == (True, False)


def test_D04_what_is_not_stored_keeps_no_lease(pair: tuple[Lease, Lease], engine: Engine, clock: FakeClock) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            pair[0].fence(connection)
            raise ZeroDivisionError

    clock.now += TTL * 0.8
    with pytest.raises(ZeroDivisionError):
        fail()
    clock.now += TTL * 0.3
    assert not pair[0].held
    with writing(engine):
        pass
    assert not pair[0].held, "nor does what others store"


def test_D04_a_lease_given_back_is_free_at_once(pair: tuple[Lease, Lease], engine: Engine) -> None:
    first, second = pair
    first.release()
    assert (first.epoch, first.held) == (None, False)
    with pytest.raises(LeaseLost, match="not held by first"):
        store_row(engine, first, "late")
    assert second.look()
    assert second.epoch == 2
    first.release()
    assert second.beat()


def test_D04_only_one_takes_what_several_saw_free(engine: Engine, clock: FakeClock) -> None:
    holder, *others = (contender(engine, clock, name) for name in "abcd")
    assert holder.look()
    for _ in range(20):
        assert not any(other.look() for other in others)
        clock.now += LOOK
        if clock.now - 1000.0 >= TTL - LOOK:
            break
    clock.now += 2 * LOOK
    assert [other.look() for other in others] == [True, False, False]


def meanwhile(monkeypatch: pytest.MonkeyPatch, event: Callable[[], object]) -> None:
    """Have `event` happen once, between a contender's reading and its writing."""
    pending = [event]

    @contextmanager
    def interrupted(engine: Engine) -> Iterator[Connection]:
        while pending:
            pending.pop()()
        with writing(engine) as connection:
            yield connection

    monkeypatch.setattr("trading_api.shared.lease.writing", interrupted)


def test_D04_of_two_that_saw_the_same_the_quicker_takes_it(
    pair: tuple[Lease, Lease], engine: Engine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = pair
    third = contender(engine, clock, "third")
    for _ in range(16):
        assert not second.look()
        assert not third.look()
        clock.now += 0.095
    meanwhile(monkeypatch, third.look)
    assert not second.look()
    assert (second.epoch, third.epoch, third.held) == (None, 2, True)


def test_D04_of_two_that_find_no_lease_one_makes_it(
    engine: Engine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = contender(engine, clock, "first"), contender(engine, clock, "second")
    meanwhile(monkeypatch, second.look)
    assert not first.look()
    assert (first.epoch, second.epoch) == (None, 1)


def test_D04_a_beat_in_the_last_moment_prevents_a_takeover(
    pair: tuple[Lease, Lease], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    assert not watch_for(second, clock, TTL - LOOK)
    clock.now += LOOK + 0.01
    meanwhile(monkeypatch, first.beat)
    assert not second.look()
    assert (first.beat(), first.epoch, second.epoch) == (True, 1, None)


def test_D04_threads_that_look_at_once_never_share_an_epoch(engine: Engine, clock: FakeClock) -> None:
    takes: list[int] = []
    problems: list[StoreError] = []

    def compete(lease: Lease) -> None:
        try:
            for _ in range(15):
                if lease.look():
                    takes.append(lease.epoch or 0)
                    lease.release()
        except StoreError as error:
            problems.append(error)

    threads = [threading.Thread(target=compete, args=(contender(engine, clock, str(n)),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert problems == []
    assert len(takes) > 1
    assert sorted(takes) == list(range(1, len(takes) + 1))


def test_D04_a_contender_that_was_away_watches_anew(pair: tuple[Lease, Lease], clock: FakeClock) -> None:
    _, second = pair
    assert not second.look()
    # It was paused, and so may the holder have been.
    clock.now += 100 * TTL
    assert not second.look()
    assert watch_for(second, clock, 2.0)


def test_D04_a_contender_that_had_to_wait_for_the_store_watches_anew(
    pair: tuple[Lease, Lease], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = pair
    assert not watch_for(second, clock, TTL - LOOK)

    meanwhile(monkeypatch, lambda: setattr(clock, "now", clock.now + 1.0))
    assert not watch_for(second, clock, 3 * LOOK)
    assert watch_for(second, clock, 2.0)


def test_D04_a_holder_that_was_replaced_stores_nothing(
    pair: tuple[Lease, Lease], engine: Engine, clock: FakeClock
) -> None:
    first, second = pair
    store_row(engine, first, "before")
    assert watch_for(second, clock, 2.0)
    with pytest.raises(LeaseLost, match=r"taken from first \(epoch 1\)"):
        store_row(engine, first, "after")
    store_row(engine, second, "by the second")
    assert written(engine) == {"before": 1, "by the second": 2}


def test_D04_a_holder_that_is_late_may_write_while_nobody_took_over(
    pair: tuple[Lease, Lease], engine: Engine, clock: FakeClock
) -> None:
    first, _ = pair
    clock.now += 100 * TTL
    store_row(engine, first, "late")
    assert written(engine) == {"late": 1}


def test_D04_the_wall_clock_has_no_say(
    pair: tuple[Lease, Lease], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    for wall in (0.0, 4e9, 1.0, 2e9):
        monkeypatch.setattr(time, "time", lambda wall=wall: wall)
        assert first.beat()
        assert not watch_for(second, clock, TTL / 3)
    assert first.held
    assert watch_for(second, clock, 2.0)


def test_D04_leases_of_other_names_do_not_meet(pair: tuple[Lease, Lease], engine: Engine, clock: FakeClock) -> None:
    other = Lease(engine, "orders", holder="other", ttl=TTL, clock=clock)
    assert other.look()
    assert (other.epoch, pair[0].beat()) == (1, True)


def test_D04_a_lease_makes_its_store(tmp_path: Path, clock: FakeClock) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new' / 'x.db'}")
    assert contender(engine, clock, "first").look()
    engine.dispose()


def test_D04_a_takeover_waits_for_a_fenced_transaction_and_a_beat_does_not(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_engine, "LOCK_MS", 100)
    with ExitStack() as stack:
        engine = open_engine(stack.enter_context(migrated_store("postgresql", tmp_path)))
        stack.callback(engine.dispose)
        first, second = contender(engine, clock, "first"), contender(engine, clock, "second")
        assert first.look()
        assert not watch_for(second, clock, TTL - LOOK)
        with writing(engine) as connection:
            first.fence(connection)
            write_row(connection, "fenced", 1)
            clock.now += 2 * LOOK
            with pytest.raises(StoreError, match="another process is writing"):
                second.look()
            assert first.beat()
        assert written(engine) == {"fenced": 1}
        assert first.held


class Competition(RuleBasedStateMachine):
    """Contenders that look, beat, write, pause and give back in any order, on a clock that only moves between."""

    engine: Engine
    serial = 0

    def __init__(self) -> None:
        super().__init__()
        Competition.serial += 1
        self.name = f"machine {Competition.serial}"
        self.clock = FakeClock()
        self.contenders = [
            Lease(self.engine, self.name, holder=str(number), ttl=TTL, clock=self.clock) for number in range(3)
        ]
        self.epoch = 0
        self.committed: list[tuple[int, str]] = []

    @rule(who=st.integers(0, 2), looks=st.integers(1, 20))
    def watch(self, who: int, looks: int) -> None:
        """Ordinary looking, as a keeper does it."""
        for _ in range(looks):
            self.look(who)
            self.clock.now += LOOK

    @rule(who=st.integers(0, 2))
    def look(self, who: int) -> None:
        lease = self.contenders[who]
        if lease.epoch is None and lease.look():
            self._took(lease)

    def _took(self, lease: Lease) -> None:
        assert lease.epoch is not None
        assert lease.epoch > self.epoch, "an epoch came again"
        self.epoch = lease.epoch

    @rule(who=st.integers(0, 2))
    def beat(self, who: int) -> None:
        lease = self.contenders[who]
        believed = lease.epoch
        assert lease.beat() == (believed is not None and believed == self.epoch)

    @rule(who=st.integers(0, 2))
    def release(self, who: int) -> None:
        self.contenders[who].release()

    @rule(seconds=st.sampled_from([0.01, 0.4, 1.0, 1.4999, 1.5, 2.0, 1e6]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(who=st.integers(0, 2))
    def write(self, who: int) -> None:
        lease = self.contenders[who]
        believed, key = lease.epoch, f"{self.name} {len(self.committed)}"
        try:
            with writing(self.engine) as connection:
                lease.fence(connection)
                write_row(connection, key, believed or -1)
        except LeaseLost:
            assert believed is None or believed < self.epoch
        else:
            assert believed == self.epoch, "a holder of the past committed"
            self.committed.append((believed, key))

    @invariant()
    def one_holder(self) -> None:
        assert sum(lease.held for lease in self.contenders) <= 1
        assert all(lease.epoch == self.epoch for lease in self.contenders if lease.held)

    def teardown(self) -> None:
        """What was said to be committed is stored, nothing else, and epochs never went back."""
        stored = {key: epoch for key, epoch in written(self.engine).items() if key.startswith(f"{self.name} ")}
        assert stored == {key: epoch for epoch, key in self.committed}
        assert [epoch for epoch, _ in self.committed] == sorted(epoch for epoch, _ in self.committed)


def test_D04_no_order_of_events_lets_two_hold_or_a_past_holder_commit(engine: Engine) -> None:
    machine = cast("type[Competition]", type("ThisCompetition", (Competition,), {"engine": engine}))
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=40, deadline=None))
    with reading(engine) as connection:
        assert connection is not None
        # Else the machine proved nothing.
        assert (connection.scalar(select(func.max(leases.c.epoch))) or 0) > 1
        assert connection.scalar(select(func.count()).select_from(ROWS))
