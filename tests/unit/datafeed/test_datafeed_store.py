"""The store of bars in a SQLite file: refusals, and files that are not what they should be."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.datafeed_bars import ALWAYS, DAY, bar, put, served

from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.store import SeriesKey, StoreError
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.store import sqlite
from trading_api.shared.store.errors import StoreUrlError

KEY = SeriesKey("ABC", Resolution.DAY)


def file_of(folder: Path) -> Path:
    return folder / "data" / "trading.db"


def readers(store: BarStore) -> list[Callable[[], object]]:
    return [
        store.resolutions,
        lambda: store.resolutions_of("ABC"),
        lambda: store.series(KEY).newest(end=None, limit=1),
        lambda: store.series(KEY).between(start=0, end=None, limit=1),
    ]


def users(store: BarStore) -> list[Callable[[], object]]:
    return [*readers(store), lambda: put(store, Resolution.DAY, [bar(0)])]


def test_D02_store_without_a_file_is_empty_and_stays_so(store: BarStore, tmp_path: Path) -> None:
    assert [read() for read in readers(store)] == [{}, (), [], []]
    with store.staging(KEY) as staging:
        staging.add([(1, bar(0)), (2, bar(0)), (3, bar(DAY))])
        assert staging.merge(limit=1).merged == 1
        assert staging.compare(limit=1, lock=False).inserted == 2
    assert list(tmp_path.iterdir()) == []


def test_D02_empty_file_is_an_empty_store(store: BarStore, tmp_path: Path) -> None:
    sqlite.create_file(file_of(tmp_path))
    assert [read() for read in readers(store)] == [{}, (), [], []]
    put(store, Resolution.DAY, [bar(0)])
    assert list(served(store, Resolution.DAY)) == [bar(0)]


@pytest.mark.parametrize(
    ("revision", "advice"),
    [("0099", "newer than .* upgrade the program"), ("0001", "older than .* trading_api migrate")],
)
def test_D02_other_schema_is_refused_with_what_to_do(
    revision: str, advice: str, store: BarStore, tmp_path: Path
) -> None:
    put(store, Resolution.DAY, [bar(0)])
    with closing(sqlite3.connect(file_of(tmp_path))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    with closing(open_store(f"sqlite:///{file_of(tmp_path)}")) as later:
        for attempt in users(later):
            with pytest.raises(StoreError, match=f"schema version {revision} is {advice}"):
                attempt()


def test_D02_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("hello, this is not a database at all " * 100)
    with closing(open_store(f"sqlite:///{path}")) as store:
        for attempt in users(store):
            with pytest.raises(StoreError, match="not a database: choose another file"):
                attempt()


def test_D02_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        closing(open_store(f"sqlite:///{tmp_path}/file/x.db")) as store,
        pytest.raises(StoreError, match=r"Not a directory|exists"),
    ):
        put(store, Resolution.DAY, [bar(0)])


def test_D02_locked_store_is_refused_and_left_alone(
    store: BarStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, Resolution.DAY, [bar(0)])
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(file_of(tmp_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked: another process is writing"):
            put(store, Resolution.DAY, [bar(DAY)])
        assert list(served(store, Resolution.DAY)) == [bar(0)]
    put(store, Resolution.DAY, [bar(DAY)])
    assert len(served(store, Resolution.DAY)) == 2


def test_D02_nobody_writes_between_compare_and_commit(store: BarStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with store.staging(KEY) as first:
        first.add([(1, bar(0))])
        first.merge(limit=1)
        first.compare(limit=1, lock=True)
        with pytest.raises(StoreError, match="locked"):
            put(store, Resolution.DAY, [bar(0, volume=2)])
        first.commit(ALWAYS, new=False)
    assert list(served(store, Resolution.DAY)) == [bar(0)]


@pytest.mark.parametrize("pages", [10, 35])
def test_D02_full_disk_leaves_nothing_half_imported(pages: int, store: BarStore) -> None:
    """With the smaller limit the bars themselves do not fit, with the larger one what is computed from them."""
    put(store, Resolution.MINUTE_1, [bar(0)])
    with store.staging(SeriesKey("ABC", Resolution.MINUTE_1)) as staging:
        staging.add([(line, bar(line * 60_000)) for line in range(1, 5000)])
        staging.merge(limit=1)
        staging.compare(limit=1, lock=True)
        # SQLite's own limit on the size of a file fails in the same place as a full disk does.
        (used,) = staging._connection.exec_driver_sql("PRAGMA store.page_count").one()
        staging._connection.exec_driver_sql(f"PRAGMA store.max_page_count = {used + pages}")
        with pytest.raises(StoreError, match="full: the disk is full; free some space"):
            staging.commit(ALWAYS, new=True)
    assert list(served(store, Resolution.MINUTE_1)) == [bar(0)]
    assert list(served(store, Resolution.DAY)) == [bar(0)]
    assert InstrumentStore(store.engine).all() == []


def test_D02_full_disk_while_rows_gather_is_said(store: BarStore) -> None:
    with store.staging(KEY) as staging:
        staging._connection.exec_driver_sql("PRAGMA temp.max_page_count = 8")
        with pytest.raises(StoreError, match=r"temporary file of the import: .*full"):
            staging.add([(line, bar(line * DAY)) for line in range(5000)])


def test_D02_replaced_file_is_noticed(store: BarStore, tmp_path: Path) -> None:
    put(store, Resolution.DAY, [bar(0)])
    assert store.resolutions() == {"ABC": (Resolution.DAY, Resolution.WEEK, Resolution.MONTH)}
    (tmp_path / "data").rename(tmp_path / "old")
    assert [read() for read in readers(store)] == [{}, (), [], []]
    with closing(open_store(f"sqlite:///{file_of(tmp_path / 'backup')}")) as backup:
        put(backup, Resolution.WEEK, [bar(4 * DAY)])
    (tmp_path / "backup" / "data").rename(tmp_path / "data")
    assert store.resolutions() == {"ABC": (Resolution.WEEK,)}
    assert list(served(store, Resolution.WEEK)) == [bar(4 * DAY)]


def test_D02_the_temporary_file_has_no_name(store: BarStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing is left behind when the import is killed."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with store.staging(KEY) as staging:
        for start in range(0, 100_000, 10_000):
            staging.add([(line, bar(line * DAY)) for line in range(start, start + 10_000)])
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["", "x.db", "mysql://h/d", "sqlite://x.db", "sqlite:///", "sqlite:///a/"])
def test_D02_unusable_store_url_is_refused(url: str) -> None:
    with pytest.raises(StoreUrlError, match=r"store URL.*use sqlite:///path/to/file\.db"):
        open_store(url)


def test_D02_store_url_is_relative_or_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///some/x.db", f"sqlite:///{tmp_path}/some/x.db"):
        with closing(open_store(url)) as opened:
            put(opened, Resolution.DAY, [bar(0)])
    assert (tmp_path / "some" / "x.db").is_file()
