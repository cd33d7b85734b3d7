"""The SQLite store: exactness, refusals, and files that are not what they should be."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_api.modules.datafeed import sqlite_schema, sqlite_staging
from trading_api.modules.datafeed.bar import ScaledBar, make_bar
from trading_api.modules.datafeed.decimals import parse_scaled, scaled_text
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.sqlite_store import SqliteStore
from trading_api.modules.datafeed.store import SeriesKey, StoreError
from trading_api.modules.datafeed.store_url import open_store

KEY = SeriesKey("ABC", Resolution.DAY)
NUMBER = st.decimals(0, 10**9, places=8, allow_nan=False, allow_infinity=False)


def put(store: SqliteStore, *bars: ScaledBar, instrument: Instrument | None = None) -> None:
    with store.staging(KEY) as staging:
        staging.add(list(enumerate(bars)))
        staging.merge(limit=1)
        staging.compare(limit=1, lock=True)
        staging.commit(instrument)


def stored(store: SqliteStore) -> list[ScaledBar]:
    return store.series(KEY).newest(end=None, limit=1000)


def test_D02_store_without_a_file_is_empty_and_stays_so(store: SqliteStore, tmp_path: Path) -> None:
    assert store.instruments() == []
    assert store.resolutions() == {}
    assert stored(store) == []
    assert list(tmp_path.iterdir()) == []


def test_D02_newer_schema_is_refused_with_what_to_do(store: SqliteStore, tmp_path: Path) -> None:
    put(store, ScaledBar(0, 0, 1, 1, 1, 1, 0, 1))
    path = tmp_path / "data" / "trading.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with closing(SqliteStore(path)) as later:
        for attempt in (later.instruments, lambda: put(later)):
            with pytest.raises(StoreError, match="schema version 99 is newer than 1, the newest known; upgrade"):
                attempt()


def test_D02_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("hello, this is not a database at all " * 100)
    with closing(SqliteStore(path)) as store:
        for attempt in (store.instruments, lambda: put(store)):
            with pytest.raises(StoreError, match="not a database: choose another file"):
                attempt()


def test_D02_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        closing(SqliteStore(tmp_path / "file" / "x.db")) as store,
        pytest.raises(StoreError, match=r"Not a directory|exists"),
    ):
        put(store)


def test_D02_locked_store_is_refused_and_left_alone(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, ScaledBar(0, 0, 1, 1, 1, 1, 0, 1))
    monkeypatch.setattr(sqlite_staging, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(tmp_path / "data" / "trading.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked: another process is writing"):
            put(store, ScaledBar(86_400_000, 0, 1, 1, 1, 1, 0, 1))
        assert len(stored(store)) == 1


def test_D02_nobody_writes_between_compare_and_commit(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_staging, "BUSY_SECONDS", 0.05)
    bar = ScaledBar(0, 0, 1, 1, 1, 1, 0, 1)
    with store.staging(KEY) as first:
        first.add([(1, bar)])
        first.merge(limit=1)
        first.compare(limit=1, lock=True)
        with pytest.raises(StoreError, match="locked"):
            put(store, bar._replace(volume=2))
        first.commit(None)
    assert stored(store) == [bar]


def test_D02_full_disk_leaves_nothing_half_imported(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ScaledBar(0, 0, 1, 1, 1, 1, 0, 1)
    put(store, first)
    with store.staging(KEY) as staging:
        staging.add([(line, first._replace(time=line * 86_400_000)) for line in range(1, 5000)])
        staging.merge(limit=1)
        staging.compare(limit=1, lock=True)
        # SQLite's own limit on the size of a file fails in the same place as a full disk does.
        staging._connection.execute("PRAGMA store.max_page_count = 8")
        with pytest.raises(StoreError, match="full: the disk is full; free some space"):
            staging.commit(None)
    assert stored(store) == [first]


def test_D02_leaving_without_commit_writes_nothing(store: SqliteStore) -> None:
    put(store, ScaledBar(0, 0, 1, 1, 1, 1, 0, 1))
    with store.staging(KEY) as staging:
        staging.add([(1, ScaledBar(86_400_000, 0, 1, 1, 1, 1, 0, 1))])
        staging.merge(limit=1)
        assert staging.compare(limit=1, lock=True).inserted == 1
    assert len(stored(store)) == 1


def test_D02_replaced_file_is_noticed(store: SqliteStore, tmp_path: Path) -> None:
    put(store, ScaledBar(0, 0, 1, 1, 1, 1, 0, 1))
    assert len(stored(store)) == 1
    (tmp_path / "data" / "trading.db").rename(tmp_path / "old.db")
    assert stored(store) == []


def test_D02_finer_precision_of_a_known_instrument_wins(store: SqliteStore) -> None:
    known = Instrument("ABC", "X", "stock", "ABC", "24x7", "Etc/UTC", 1000, 1, 2)
    put(store, instrument=known)
    put(store, instrument=Instrument("ABC", "Y", "fund", "other", "24x7", "Etc/UTC", 100, 1, 4))
    (kept,) = store.instruments()
    assert (kept.exchange, kept.pricescale, kept.volume_precision) == ("X", 1000, 4)


@settings(max_examples=40, deadline=None)
@given(prices=st.lists(NUMBER, min_size=4, max_size=4), volume=NUMBER, time=st.integers(-(10**12), 10**13))
def test_D02_round_trip_through_the_store_is_exact(
    prices: list[Decimal], volume: Decimal, time: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bar = make_bar(time, [parse_scaled(f"{price:f}") for price in prices], parse_scaled(f"{volume:f}"))
    with closing(SqliteStore(tmp_path_factory.mktemp("store") / "x.db")) as store:
        put(store, bar)
        (found,) = stored(store)
    read = [
        Decimal(scaled_text(price, found.price_scale)) for price in (found.open, found.high, found.low, found.close)
    ]
    assert found.time == time
    assert read == prices
    assert Decimal(scaled_text(found.volume, found.volume_scale)) == volume


@pytest.mark.parametrize(
    "url", ["", "x.db", "mysql://h/d", "sqlite://x.db", "sqlite:///", "sqlite:///a/", "sqlite:///a?b=c"]
)
def test_D02_unusable_store_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"store URL.*use sqlite:///path/to/file\.db"):
        open_store(url)


def test_D02_store_url_is_relative_or_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///some/x.db", f"sqlite:///{tmp_path}/some/x.db"):
        with closing(open_store(url)) as opened:
            assert isinstance(opened, SqliteStore)
            put(opened, ScaledBar(0, 0, 1, 1, 1, 1, 0, 1))
    assert (tmp_path / "some" / "x.db").is_file()


def test_D02_schema_is_created_once(store: SqliteStore, tmp_path: Path) -> None:
    put(store)
    with closing(sqlite3.connect(tmp_path / "data" / "trading.db")) as connection:
        sqlite_schema.migrate(connection, tmp_path)
        assert connection.execute("PRAGMA user_version").fetchone() == (sqlite_schema.SCHEMA_VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
