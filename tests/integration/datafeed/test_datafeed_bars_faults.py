"""Imports that are killed, starved or cut off: all of a file is stored, or nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from support.datafeed_bars import ALWAYS, MINUTE, all_served, at, bar, put, served
from support.project import ROOT
from support.store_urls import migrated_store

from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.rollups import lock_bars
from trading_api.modules.datafeed.bars.staging_turn import Turn
from trading_api.modules.datafeed.bars.store import SeriesKey, StoreError
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.store import postgres_engine
from trading_api.shared.store.engine import writing

pytestmark = pytest.mark.integration

R = Resolution
ROWS = 12_000
BEFORE = [bar(at("2024-01-01"), 99)]
"""What the store holds before: an import that comes through replaces it."""


@contextmanager
def importer(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The process of `support.datafeed_importer`; killed if it is still there at the end."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("tests", "backend/src"))
    command = [sys.executable, "-m", "support.datafeed_importer", *map(str, arguments)]
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        with process:
            yield process
            process.kill()
    finally:
        process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next thing that it says; empty when it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize(
    "pause", ["locked", "0.5", *(pytest.param(each, marks=pytest.mark.long) for each in ("staged", "0.01", "1"))]
)
def test_D02_killed_import_leaves_nothing_and_blocks_nobody(pause: str, bar_store: BarStore, store_url: str) -> None:
    put(bar_store, R.MINUTE_1, BEFORE)
    before = all_served(bar_store)
    with importer(store_url, "ABC", ROWS, pause) as process:
        assert line_of(process) == pause
        assert all_served(bar_store) == before
        process.kill()
        process.wait()
        assert all_served(bar_store) == before
        assert InstrumentStore(bar_store.engine).all() == []
    later = bar(at("2024-02-01"))
    put(bar_store, R.MINUTE_1, [later])
    assert served(bar_store, R.MINUTE_1) == [*BEFORE, later]


def test_D02_import_that_came_through_survives_its_process(bar_store: BarStore, store_url: str) -> None:
    with importer(store_url, "ABC", ROWS) as process:
        assert line_of(process) == "done"
        process.kill()
        process.wait()
    assert len(served(bar_store, R.MINUTE_1)) == ROWS
    assert sum(one.volume for one in served(bar_store, R.MONTH)) == ROWS


@pytest.mark.parametrize("kib", [64, pytest.param(480, marks=pytest.mark.long)])
def test_D02_limit_on_file_sizes_leaves_nothing_half_imported(kib: int, tmp_path: Path) -> None:
    """A limit fails in the same places as a full disk: among the bars, among those computed from them, or earlier."""
    with migrated_store("sqlite", tmp_path) as url, closing(open_store(url)) as store:
        put(store, R.MINUTE_1, BEFORE)
        before = all_served(store)
        with importer(url, "ABC", ROWS, "", kib * 1024) as process:
            said = line_of(process)
            assert "disk" in said, said
            assert process.wait() == 1
        assert all_served(store) == before
        assert InstrumentStore(store.engine).all() == []
        with importer(url, "ABC", ROWS) as process:
            assert line_of(process) == "done"
        assert len(served(store, R.MINUTE_1)) == ROWS


@pytest.mark.long
def test_D02_imports_into_one_series_take_turns(bar_store: BarStore, store_url: str) -> None:
    """The second one waits for the first, and then sees what it wrote."""
    with importer(store_url, "ABC", 200, "locked") as first, importer(store_url, "ABC", 400) as second:
        assert line_of(first) == "locked"
        assert first.stdin is not None
        print(file=first.stdin, flush=True)
        assert (line_of(first), line_of(second)) == ("done", "done")
    assert len(served(bar_store, R.MINUTE_1)) == 400
    assert sum(one.volume for one in served(bar_store, R.DAY)) == 400


def test_D02_postgresql_writer_that_holds_a_symbol_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_engine, "LOCK_MS", 100)
    with migrated_store("postgresql", tmp_path) as url, closing(open_store(url)) as store:
        with writing(store.engine) as other:
            lock_bars(other, "ABC")
            with pytest.raises(StoreError, match="another process is writing to it"):
                put(store, R.MINUTE_1, BEFORE)
        put(store, R.MINUTE_1, BEFORE)
        assert served(store, R.MINUTE_1) == BEFORE


def test_D02_postgresql_import_waits_for_its_turn(tmp_path: Path) -> None:
    with migrated_store("postgresql", tmp_path) as url, closing(open_store(url)) as store:
        with writing(store.engine) as other, store.staging(SeriesKey("ABC", R.MINUTE_1)) as staging:
            lock_bars(other, "ABC")
            staging.add(list(enumerate(BEFORE)))
            staging.merge(limit=1)
            with pytest.raises(StoreError, match="another process is writing to it"):
                staging.compare(limit=1, lock=True, turn=Turn(0.05))
            looks: list[int] = []

            def waiting() -> None:
                looks.append(1)
                other.rollback()

            staging.compare(limit=1, lock=True, turn=Turn(60, waiting))
            assert looks == [1]
            staging.commit(ALWAYS, new=True)
        assert served(store, R.MINUTE_1) == BEFORE


@pytest.mark.parametrize("stage", ["add", "merge", "compare", "commit"])
def test_D02_postgresql_connection_that_is_cut_writes_nothing(stage: str, tmp_path: Path) -> None:
    with migrated_store("postgresql", tmp_path) as url, closing(open_store(url)) as store:
        with store.staging(SeriesKey("ABC", R.MINUTE_1)) as staging:
            steps: dict[str, Callable[[], object]] = {
                "add": lambda: staging.add([(line, bar(line * MINUTE)) for line in range(100)]),
                "merge": lambda: staging.merge(limit=1),
                "compare": lambda: staging.compare(limit=1, lock=True),
                "commit": lambda: staging.commit(ALWAYS, new=True),
            }
            # Not in order: otherwise the merge has nothing to ask the server.
            staging.add([(1, bar(MINUTE)), (2, bar(0))])
            for step in list(steps)[1 : list(steps).index(stage)]:
                steps[step]()
            cut_all(url)
            with pytest.raises(StoreError, match=r"terminat|closed|lost"):
                steps[stage]()
        assert store.resolutions() == {}
        put(store, R.MINUTE_1, BEFORE)
        assert served(store, R.MINUTE_1) == BEFORE


def cut_all(url: str) -> None:
    """End every other connection to a database, as a restart of its server does."""
    own = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(own + " WHERE datname = current_database() AND pid <> pg_backend_pid()")
