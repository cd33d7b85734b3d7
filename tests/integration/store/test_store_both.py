"""What holds for a store of either kind: its schema, its transactions, and migrations that run at once."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, func, insert, select
from support.waiting import wait_until

from trading_api.modules.broker.tables import events
from trading_api.modules.datafeed.tables import bars
from trading_api.shared.store import postgres_engine, sqlite
from trading_api.shared.store.address import store_urls
from trading_api.shared.store.engine import hold_lock, open_engine, place_of, reading, upsert, writing
from trading_api.shared.store.errors import StoreError
from trading_api.shared.store.migrations import check_schema, migrate, revision_at
from trading_api.shared.store.revision import HEAD
from trading_api.shared.store.schema import metadata
from trading_api.shared.store.tables import leases

pytestmark = pytest.mark.integration

ROW = {"name": "a", "epoch": 1, "holder": None, "beat": 0}


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    engine = open_engine(store_url)
    yield engine
    engine.dispose()


def count(engine: Engine) -> int:
    with reading(engine) as connection:
        assert connection is not None
        return connection.scalar(select(func.count()).select_from(leases)) or 0


def test_D02_migrations_make_what_the_tables_say(engine: Engine) -> None:
    assert bars.metadata is events.metadata is leases.metadata is metadata
    with reading(engine) as connection:
        assert connection is not None
        # Alembic takes SQLite's '' for another default than ''.
        defaults = connection.dialect.name == "postgresql"
        opts = {"compare_type": True, "compare_server_default": defaults}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []


def test_D02_an_empty_store_reads_as_empty_and_is_made_by_the_first_writer(empty_store_url: str) -> None:
    engine = open_engine(empty_store_url)
    with reading(engine) as connection:
        assert connection is None
    assert revision_at(empty_store_url) is None
    check_schema(empty_store_url)
    with writing(engine) as connection:
        connection.execute(insert(leases), ROW)
    assert (count(engine), revision_at(empty_store_url)) == (1, HEAD)
    engine.dispose()


def test_D02_programs_that_migrate_at_once_do_it_once(empty_store_url: str) -> None:
    argv = [sys.executable, "-P", "-m", "trading_api", "migrate", "--json", "--store", empty_store_url]
    programs = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [json.loads(program.communicate(timeout=60)[0]) for program in programs]
    assert [program.returncode for program in programs] == [0] * 4
    assert all(answer["up_to_date"] for answer in answers)
    # Who comes late may find it done; one made each place: a file for orders and the other, or the one database.
    made = [store["store"] for answer in answers for store in answer["stores"] if store["from"] is None]
    assert sorted(made) == sorted(place_of(url) for url in store_urls(empty_store_url))


def test_D02_a_failed_transaction_leaves_nothing_in_either_store(engine: Engine) -> None:
    with pytest.raises(StoreError, match=r"(?i)unique"), writing(engine) as connection:
        connection.execute(insert(leases), [ROW, ROW])
    assert count(engine) == 0


def test_D02_a_read_is_one_moment_in_either_store(engine: Engine) -> None:
    query = select(func.count()).select_from(leases)
    with reading(engine) as connection:
        assert connection is not None
        assert connection.scalar(query) == 0
        with writing(engine) as writer:
            writer.execute(insert(leases), ROW)
        assert connection.scalar(query) == 0
    assert count(engine) == 1


def test_D02_upsert_works_in_either_store(engine: Engine) -> None:
    for beat in (1, 2):
        with writing(engine) as connection:
            row = upsert(connection, leases).values(**{**ROW, "beat": beat})
            connection.execute(
                row.on_conflict_do_update(index_elements=[leases.c.name], set_={"beat": row.excluded.beat})
            )
    with reading(engine) as connection:
        assert connection is not None
        assert connection.scalars(select(leases.c.beat)).all() == [2]


def test_D02_a_lock_is_waited_for_and_then_given_up(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite.connect, "__kwdefaults__", {"busy_seconds": 0.1})
    monkeypatch.setattr(postgres_engine, "LOCK_MS", 100)
    engine = open_engine(store_url)
    with writing(engine) as holder:
        hold_lock(holder, "series")
        with pytest.raises(StoreError, match="another process is writing to it; try again"):
            _lock(engine, "series")
    _lock(engine, "series")
    engine.dispose()


def _lock(engine: Engine, name: str) -> None:
    with writing(engine) as connection:
        hold_lock(connection, name)


def test_D02_who_holds_a_lock_keeps_others_waiting_until_it_commits(engine: Engine) -> None:
    order: list[str] = []

    def second() -> None:
        with writing(engine) as connection:
            hold_lock(connection, "series")
            order.append(f"second sees {connection.scalar(select(func.count()).select_from(leases))}")

    with writing(engine) as connection:
        hold_lock(connection, "series")
        thread = threading.Thread(target=second)
        thread.start()
        _wait_for_a_waiter(connection)
        connection.execute(insert(leases), ROW)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second sees 1"]


def _wait_for_a_waiter(connection: Connection) -> None:
    """SQLite cannot tell who waits for its lock; there the order is all that is proved."""
    if connection.dialect.name == "postgresql":
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: connection.exec_driver_sql(waiting).scalar(), what="the second to wait")


def test_D02_threads_share_an_engine(engine: Engine) -> None:
    problems: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for n in range(first, first + 10):
                with writing(engine) as connection:
                    connection.execute(insert(leases), {**ROW, "name": str(n)})
                count(engine)
        except StoreError as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 80, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (problems, count(engine)) == ([], 80)


def test_D02_a_newer_store_of_either_kind_is_left_alone(store_url: str) -> None:
    engine = open_engine(store_url)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    engine.dispose()
    for attempt in (migrate, check_schema):
        with pytest.raises(StoreError, match="0999 is newer than"):
            attempt(store_url)
    assert revision_at(store_url) == "0999"
