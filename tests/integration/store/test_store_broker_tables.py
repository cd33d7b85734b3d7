"""D04: a store from before there were orders gets their tables and keeps everything it holds; in both databases."""

import pytest
from sqlalchemy import Engine
from support.broker_journal import AccountScript, no_fence

from trading_api.modules.broker.journal.journal import Journal
from trading_api.shared.store import migrations
from trading_api.shared.store.address import orders_url, store_urls
from trading_api.shared.store.engine import open_engine, place_of, writing
from trading_api.shared.store.errors import StoreError
from trading_api.shared.store.migrations import MigrationReport, migrate, revision_at

pytestmark = pytest.mark.integration

ROWS = {
    "instruments": ("'MÜNCHEN', 'XETR', 'stock', 'it''s', '24x7', 'Etc/UTC', 1000000000, 1, 0, 'XETR'", "name"),
    "series": ("7, 'MÜNCHEN', '1', true", "id"),
    "bars": ("7, 60000, 9, 4611686018427387904, 9223372036854775807, 1, 2, 0, 9223372036854775807", "time_ms"),
    "leases": ("'feed', 12, 'host:1:ab', 99", "name"),
    "manual_ticks": ("5, 'AAPL', 1, 2, 100, 101, 100, 0, 1", "seq"),
    "replay_runs": ("'key', 1700000000000", "key"),
}


@pytest.fixture
def old_url(empty_store_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store at 0002 with a row in each table."""
    with monkeypatch.context() as before:
        before.setattr(migrations, "HEAD", "0002")
        migrate(empty_store_url)
    engine = open_engine(empty_store_url)
    # The program of today refuses it, so the engine is used as it is.
    with engine.begin() as connection:
        for table, (values, _) in ROWS.items():
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({values})")
    engine.dispose()
    return empty_store_url


def rows_of(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.begin() as connection:
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY {key}")]
            for table, (_, key) in ROWS.items()
        }


def test_D04_a_store_from_before_orders_keeps_everything_and_takes_them(old_url: str) -> None:
    engine, orders = open_engine(old_url), open_engine(orders_url(old_url))
    before = rows_of(engine)
    assert {table: len(rows) for table, rows in before.items()} == dict.fromkeys(ROWS, 1)
    if place_of(old_url) == place_of(orders_url(old_url)):
        with pytest.raises(StoreError, match=r"version 0002 is older than 0003.*python -m trading_api migrate"):
            Journal(orders).load()
    for url in store_urls(old_url):
        behind = "0002" if url == old_url else None
        assert migrate(url) == MigrationReport(place_of(url), behind, "0003")
        assert revision_at(url) == "0003"
    assert rows_of(engine) == before
    script = AccountScript()
    script.fill(script.place())
    Journal(orders).commit(script.batch(), no_fence)
    assert Journal(orders).load() == [script.state]
    assert rows_of(engine) == before
    for each in (engine, orders):
        each.dispose()


def test_D04_a_long_import_does_not_hold_up_an_order(old_url: str) -> None:
    """SQLite has one write lock per file; PostgreSQL's are on what is written."""
    for url in store_urls(old_url):
        migrate(url)
    engine, orders = open_engine(old_url), open_engine(orders_url(old_url))
    script = AccountScript()
    script.place()
    with writing(engine) as importing:
        importing.exec_driver_sql("INSERT INTO bars VALUES (7, 120000, 0, 1, 1, 1, 1, 0, 1)")
        Journal(orders).commit(script.batch(), no_fence)
    assert Journal(orders).load() == [script.state]
    for each in (engine, orders):
        each.dispose()
