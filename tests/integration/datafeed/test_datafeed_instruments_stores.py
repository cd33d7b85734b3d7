"""Instruments in both databases: what several users of a store see, and bars that follow a change of hours."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, delete, insert
from support.datafeed_bars import MINUTE, all_served, at, bar, put
from support.store_urls import migrated_store
from support.waiting import wait_until

from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.instruments.catalogue import (
    Catalogue,
    load_catalogue,
    read_catalogue,
    write_catalogue,
)
from trading_api.modules.datafeed.instruments.directory import open_directory
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_import import InstrumentChanges, import_instruments
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.tables import instruments, replay_runs
from trading_api.shared.store.engine import open_engine, writing
from trading_api.shared.store.errors import StoreError

pytestmark = pytest.mark.integration

ABC = Instrument("ABC", "NYSE", "stock", "Abc Ltd.", "0930-1600", "America/New_York", 100, 1, 0)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    with opened(store_url) as engine:
        yield engine


def catalogue(*given: Instrument) -> Catalogue:
    return read_catalogue(write_catalogue(given, "csv"), "csv")


def bring(engine: Engine, *given: Instrument, replace_known: bool = True) -> InstrumentChanges:
    return import_instruments(engine, load_catalogue(), catalogue(*given), replace=replace_known)


def many(count: int) -> list[Instrument]:
    return [replace(ABC, name=f"N{number}", description=f"Número {number}, “x”") for number in range(count)]


def test_D02_store_that_is_not_there_has_no_instruments_and_the_first_import_makes_it(empty_store_url: str) -> None:
    with opened(empty_store_url) as engine:
        store = InstrumentStore(engine)
        assert (store.all(), store.version()) == ([], None)
        bring(engine, ABC)
        assert store.all() == [ABC]
        assert store.version() is not None


def test_D02_thousands_of_instruments_come_back_as_they_were(engine: Engine) -> None:
    given = many(3000)
    assert len(bring(engine, *given).new) == 3000
    assert InstrumentStore(engine).all() == sorted(given, key=lambda one: one.name)
    assert bring(engine, *given) == InstrumentChanges((), (), 3000, ())


def test_D02_names_are_in_one_order_in_every_database(engine: Engine) -> None:
    given = [replace(ABC, name=name) for name in ("A_B", "A.B", "AB", "A-B", "A1", "A&B", "B", "A")]
    bring(engine, *given)
    assert [one.name for one in InstrumentStore(engine).all()] == sorted(one.name for one in given)


def test_D02_version_changes_with_the_instruments_and_with_nothing_else(engine: Engine, store_url: str) -> None:
    store = InstrumentStore(engine, clock=iter(range(10**6)).__next__)
    versions = [store.version()]
    for given in ([ABC], [replace(ABC, calendar="XNYS")], [ABC], [replace(ABC, name="DEF")]):
        # By the same connections, and by those of somebody else.
        with opened(store_url) as other:
            bring(other if len(versions) % 2 else engine, *given)
        versions.append(store.version())
        with opened(store_url) as other, writing(other) as connection:
            connection.execute(insert(replay_runs).values(key=str(len(versions)), anchor_ms=1))
        assert store.version() == versions[-1]
    with opened(store_url) as other, writing(other) as connection:
        connection.execute(delete(instruments))
    versions.append(store.version())
    assert all(before != after for before, after in pairwise(versions))
    assert store.all() == []


def test_D02_what_one_user_imports_another_finds_at_once(engine: Engine, store_url: str) -> None:
    directory = open_directory(engine)
    assert directory.find("ABC") is None
    with opened(store_url) as other:
        bring(other, ABC)
        # On a machine that is slow at the moment it may take up to a second (InstrumentStore.version).
        wait_until(lambda: directory.find("nyse:abc") == ABC, what="the instrument that another one imported")
        assert directory.search("abc ltd", limit=5) == [ABC]
        bring(other, replace(ABC, name="ABCD"))
        wait_until(lambda: directory.find("ABCD") is not None, what="the second one")
        assert [one.name for one in directory.search("abc", limit=5)] == ["ABC", "ABCD"]


def test_D02_two_imports_at_once_lose_nothing(store_url: str) -> None:
    given, barrier = many(200), Barrier(2)

    def run(part: list[Instrument]) -> int:
        with opened(store_url) as engine:
            barrier.wait(60)
            return len(bring(engine, *part).new)

    with ThreadPoolExecutor(2) as pool:
        added = sum(pool.map(run, (given[:150], given[50:])))
    assert added == 200
    with opened(store_url) as engine:
        assert len(InstrumentStore(engine).all()) == 200


def test_D02_of_two_that_say_otherwise_one_is_refused(store_url: str) -> None:
    barrier = Barrier(2)

    def run(given: Instrument) -> int:
        with opened(store_url) as engine:
            barrier.wait(60)
            found = catalogue(given)
            import_instruments(engine, load_catalogue(), found)
            return found.problem_count

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, (ABC, replace(ABC, minmov=5)))) == [0, 1]


SESSION = at("2024-07-02T13:30")  # 09:30 in New York
MINUTES = [bar(SESSION + index * MINUTE, price=10 + index % 7) for index in range(0, 390, 5)]
HALF_DAY = [bar(at("2024-07-03T13:30") + index * MINUTE, price=20 + index % 5) for index in range(0, 390, 5)]


def stored_bars(url: str, instrument: Instrument) -> dict[Resolution, list[tuple[int, ...]]]:
    """What is served of the same bars when the instrument had these hours from the beginning."""
    with closing(open_store(url)) as store:
        put(store, Resolution.MINUTE_1, MINUTES + HALF_DAY, instrument, new=True)
        return plain(store)


def plain(store: BarStore) -> dict[Resolution, list[tuple[int, ...]]]:
    return {resolution: [tuple(one) for one in served] for resolution, served in all_served(store).items()}


@pytest.mark.parametrize(
    "changed",
    [
        replace(ABC, calendar="XNYS"),  # which closes early on the second day
        replace(ABC, session="1000-1600"),
        replace(ABC, timezone="America/Chicago", session="0900-1500"),
        replace(ABC, session="1700-1600"),
    ],
    ids=["calendar", "session", "timezone", "overnight"],
)
def test_D02_bars_follow_changed_hours_as_if_they_had_always_been_so(
    store_url: str, changed: Instrument, tmp_path: Path
) -> None:
    with closing(open_store(store_url)) as store, opened(store_url) as engine:
        put(store, Resolution.MINUTE_1, MINUTES + HALF_DAY, ABC, new=True)
        before = plain(store)
        assert bring(engine, changed) == InstrumentChanges((), (changed,), 0, (changed,))
        after = plain(store)
        kind = engine.dialect.name
    (tmp_path / "fresh").mkdir()
    with migrated_store(kind, tmp_path / "fresh") as fresh:
        assert after == stored_bars(fresh, changed)
    assert after != before
    assert after[Resolution.MINUTE_1] == before[Resolution.MINUTE_1]


def test_D02_facts_that_are_no_hours_leave_the_bars_alone(store_url: str) -> None:
    with closing(open_store(store_url)) as store, opened(store_url) as engine:
        put(store, Resolution.MINUTE_1, MINUTES, ABC, new=True)
        before = plain(store)
        changes = bring(engine, replace(ABC, description="Other", minmov=5))
        assert (len(changes.changed), changes.rebuilt) == (1, ())
        assert plain(store) == before


def test_D02_import_that_fails_half_way_writes_nothing(store_url: str) -> None:
    with closing(open_store(store_url)) as store, opened(store_url) as engine:
        put(store, Resolution.MINUTE_1, MINUTES, ABC, new=True)
        before = plain(store), InstrumentStore(engine).all()
        given = catalogue(replace(ABC, session="1000-1600"), *many(5))

        def fail(_: Instrument) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            import_instruments(engine, load_catalogue(), given, replace=True, rebuilding=fail)
        assert (plain(store), InstrumentStore(engine).all()) == before


def test_D02_locked_store_is_told_after_a_while_and_nothing_is_written(tmp_path: Path) -> None:
    with migrated_store("sqlite", tmp_path) as url, opened(url) as engine:
        with closing(sqlite3.connect(tmp_path / "data" / "trading.db", isolation_level=None)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another process is writing"):
                bring(engine, ABC)
        assert InstrumentStore(engine).all() == []
        bring(engine, ABC)


def test_D02_store_that_went_away_leaves_known_symbols(tmp_path: Path) -> None:
    with migrated_store("sqlite", tmp_path) as url, opened(url) as engine:
        bring(engine, ABC)
        directory = open_directory(engine)
        assert directory.find("ABC") == ABC
        path = tmp_path / "data" / "trading.db"
        path.rename(path.with_suffix(".away"))
        path.write_bytes(b"not a database" * 1000)
        with pytest.raises(StoreError):
            directory.find("NOPE")
        assert directory.find("ABC") == ABC


@pytest.mark.long
def test_D02_command_serves_both_databases_and_a_reader_that_has_seen_enough(store_url: str, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text(write_catalogue(many(20_000), "csv"), encoding="utf-8")
    command = [sys.executable, "-m", "trading_api", "instruments"]
    done = subprocess.run(
        [*command, "import", file, "--store", store_url], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("20000 new, 0 updated, 0 unchanged\n")
    with subprocess.Popen(
        [*command, "list", "--store", store_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        assert listing.stdout.readline().startswith(b"name ")
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 0
