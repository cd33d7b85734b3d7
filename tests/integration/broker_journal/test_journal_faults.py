"""D04: what goes wrong with the store writes nothing by halves, says why, and loses nothing; in both databases."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, update
from support.broker_journal import AccountScript, answer, no_fence

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.journal.batch import Batch
from trading_api.modules.broker.journal.journal import Journal
from trading_api.modules.broker.tables import accounts
from trading_api.shared.lease import Lease, LeaseLost
from trading_api.shared.store import postgres_engine, sqlite
from trading_api.shared.store.engine import open_engine, writing
from trading_api.shared.store.errors import StoreError

pytestmark = pytest.mark.integration

WRITER = Path(__file__).parents[2] / "support" / "broker_journal_writer.py"


@pytest.fixture
def script(journal: Journal) -> AccountScript:
    """One order is written, another one waits to be."""
    script = AccountScript()
    script.fill(script.place())
    journal.commit(script.batch(answer("1")), no_fence)
    script.place()
    return script


@contextmanager
def nothing_of_it(journal: Journal, kind: type[Exception], words: str) -> Iterator[None]:
    """The block fails so, and the store is as it was; a journal that reads it anew agrees."""
    before = (journal.load(), journal.events_after("A", 0, None, 100))
    with pytest.raises(kind, match=words):
        yield
    assert (journal.load(), journal.events_after("A", 0, None, 100)) == before
    assert journal.answers([("A", "2")]) == {}
    assert journal.verify("A") == []


def test_D04_a_locked_store_is_waited_for_and_then_told_of(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite.connect, "__kwdefaults__", {"busy_seconds": 0.1})
    monkeypatch.setattr(postgres_engine, "LOCK_MS", 100)
    engine, other = open_engine(store_url), open_engine(store_url)
    journal, script = Journal(engine), AccountScript()
    script.place()
    journal.commit(script.batch(), no_fence)
    script.place()
    batch = script.batch(answer("2"))
    with writing(other) as connection:
        connection.execute(update(accounts).values(seq=accounts.c.seq))
        with nothing_of_it(journal, StoreError, "another process is writing to it; try again"):
            journal.commit(batch, no_fence)
    journal.commit(batch, no_fence)
    assert journal.load() == [script.state]
    for each in (engine, other):
        each.dispose()


def no_room(connection: Connection) -> None:
    """No table may grow any more: a limit of SQLite, and what PostgreSQL says when its disk is full."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        return
    connection.exec_driver_sql(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE disk_full USING MESSAGE = 'could not extend file'; END $$"
    )
    connection.exec_driver_sql("CREATE TRIGGER no_room BEFORE INSERT ON broker_orders EXECUTE FUNCTION no_room()")


def test_D04_a_full_disk_takes_nothing_of_a_batch(journal: Journal, script: AccountScript, engine: Engine) -> None:
    for _ in range(300):
        script.place()
    batch = script.batch(answer("2"))
    with nothing_of_it(journal, StoreError, "the disk is full; free some space"):
        journal.commit(batch, no_room)
    # There is room again.
    engine.dispose()
    journal.commit(batch, no_fence)
    assert journal.load() == [script.state]


def test_D04_a_lease_that_was_lost_writes_nothing(journal: Journal, script: AccountScript, engine: Engine) -> None:
    clock = [0.0]
    old, new = (Lease(engine, "broker", holder=holder, clock=lambda: clock[0]) for holder in ("old", "new"))
    assert old.look()
    batch = script.batch(answer("2"))
    while not new.look():
        clock[0] += 0.5
    with nothing_of_it(journal, LeaseLost, "taken from old"):
        journal.commit(batch, old.fence)
    journal.commit(batch, new.fence)
    assert journal.load() == [script.state]


def test_D04_a_lease_that_is_lost_inside_the_commit_writes_nothing(journal: Journal, script: AccountScript) -> None:
    def lose(connection: Connection) -> None:
        connection.execute(update(accounts).values(seq=99))
        raise LeaseLost("taken")

    with nothing_of_it(journal, LeaseLost, "taken"):
        journal.commit(script.batch(answer("2")), lose)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda batch: Batch((*batch.events, batch.events[-1]), batch.answers), id="twice in a batch"),
        pytest.param(lambda batch: Batch(batch.events[1:], batch.answers), id="a gap"),
        pytest.param(lambda batch: Batch(tuple(reversed(batch.events)), batch.answers), id="out of order"),
    ],
)
def test_D04_a_log_stays_without_gap_and_repetition(
    journal: Journal, script: AccountScript, spoil: Callable[[Batch], Batch]
) -> None:
    script.place()
    batch = script.batch(answer("2"))
    with nothing_of_it(journal, StoreError, r"account A is at event \d+; \d+ does not follow"):
        journal.commit(spoil(batch), no_fence)
    journal.commit(batch, no_fence)
    assert journal.load() == [script.state]


def test_D04_the_second_of_two_split_writers_is_refused_whole(journal: Journal, script: AccountScript) -> None:
    (seen,) = journal.load()
    journal.commit(script.batch(), no_fence)
    late = _continued(seen)
    other = AccountScript("B")
    other.place()
    with nothing_of_it(journal, StoreError, "account A is at event 6; 6 does not follow"):
        journal.commit(Batch((*other.batch().events, *late.batch().events), (answer("2"),)), no_fence)
    assert [state.id for state in journal.load()] == ["A"]


def _continued(state: AccountState) -> AccountScript:
    script = AccountScript()
    script.state = state
    script.place("MSFT")
    return script


def test_D04_a_number_that_is_in_the_log_already_is_refused_by_the_database(
    journal: Journal, script: AccountScript
) -> None:
    """Even if the account's row said otherwise."""

    def forget(connection: Connection) -> None:
        connection.execute(update(accounts).values(seq=0))

    again = tuple(script.every[:1])
    with nothing_of_it(journal, StoreError, "(?i)unique"):
        journal.commit(Batch(again, (answer("2"),)), forget)


def test_D04_a_writer_killed_at_any_moment_loses_nothing_that_it_acknowledged(store_url: str, engine: Engine) -> None:
    argv = [sys.executable, str(WRITER), store_url]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    acknowledged = 0
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged == 25:
                writer.send_signal(signal.SIGKILL)
    journal = Journal(engine)
    written = len(journal.answers([("A", str(number)) for number in range(1, acknowledged + 100)]))
    # The one that was under way is there whole, or not at all.
    assert acknowledged <= written <= acknowledged + 1
    assert journal.verify("A") == []
    expected = AccountScript()
    for number in range(1, written + 1):
        order = expected.place()
        if number % 2:
            expected.fill(order)
    assert journal.load() == [expected.state]
    expected.place()
    journal.commit(Batch(tuple(expected.every[-1:])), no_fence)
    assert journal.load() == [expected.state]


@pytest.mark.parametrize(("revision", "words"), [("0002", "older than 0003"), ("9999", "newer than 0003")])
def test_D04_a_store_of_another_revision_is_not_written(
    journal: Journal, script: AccountScript, engine: Engine, revision: str, words: str
) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    engine.dispose()
    uses: list[Callable[[], object]] = [journal.load, lambda: journal.commit(script.batch(), no_fence)]
    for use in uses:
        with pytest.raises(StoreError, match=re.escape(words)):
            use()
