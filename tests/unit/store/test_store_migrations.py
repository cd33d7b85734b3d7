"""Migrations of SQLite files: old ones with data, foreign ones, newer ones, and ones that fail half-way."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.store_old import make_old_store, rows_of

from trading_api.shared.store import migrations
from trading_api.shared.store.engine import open_engine, reading, writing
from trading_api.shared.store.errors import StoreError
from trading_api.shared.store.migrations import MigrationReport, check_schema, migrate, revision_at
from trading_api.shared.store.quick import is_current
from trading_api.shared.store.revision import HEAD


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "trading.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


def sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = [connection.execute(statement).fetchall() for statement in statements]
        connection.commit()
    return rows[-1]


def test_D02_a_missing_store_is_made_once(url: str, path: Path) -> None:
    assert revision_at(url) is None
    assert is_current(url) is False
    check_schema(url)
    assert not path.exists()
    assert migrate(url) == MigrationReport(str(path), None, HEAD)
    before = path.read_bytes()
    assert migrate(url) == MigrationReport(str(path), HEAD, HEAD)
    assert is_current(url) is True
    check_schema(url)
    assert path.read_bytes() == before


def test_D02_a_store_from_before_migrations_loses_nothing(url: str, path: Path) -> None:
    rows = make_old_store(path)
    assert (len(rows["bars"]), revision_at(url), is_current(url)) == (501, "0001", False)
    assert migrate(url) == MigrationReport(str(path), "0001", HEAD)
    assert rows_of(path) == rows
    assert sql(path, "SELECT DISTINCT derived FROM series") == [(0,)]
    assert sql(path, "SELECT DISTINCT calendar FROM instruments") == [("",)]
    assert sql(path, "PRAGMA foreign_key_check", "PRAGMA integrity_check") == [("ok",)]


def test_D02_a_migrated_store_is_the_same_as_a_new_one(url: str, path: Path, tmp_path: Path) -> None:
    make_old_store(path)
    migrate(url)
    new = tmp_path / "new.db"
    migrate(f"sqlite:///{new}")
    for query in (_COLUMNS, _INDEXES):
        # The first stores let SQLite have NULL in a primary key, where a table without row ids has none anyway.
        old_rows, new_rows = (sorted(sql(file, query)) for file in (path, new))
        assert [_without_null_of_keys(row) for row in old_rows] == [_without_null_of_keys(row) for row in new_rows]


_COLUMNS = """SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
    FROM sqlite_schema m, pragma_table_info(m.name) c"""
_INDEXES = """SELECT m.name, i."unique", group_concat(c.name)
    FROM sqlite_schema m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
    WHERE i.origin <> 'pk' GROUP BY i.name"""


def _without_null_of_keys(row: tuple[object, ...]) -> tuple[object, ...]:
    return (*row[:3], *row[4:]) if row[-1] in {1, 2} else row


def test_D02_an_old_program_refuses_a_migrated_store(url: str, path: Path) -> None:
    make_old_store(path)
    migrate(url)
    assert sql(path, "PRAGMA user_version") == [(2,)]


def test_D02_a_derived_series_stands_beside_an_imported_one(url: str, path: Path) -> None:
    make_old_store(path)
    migrate(url)
    sql(path, "INSERT INTO series (symbol, resolution, derived) VALUES ('AAPL', '1D', true)")
    with pytest.raises(sqlite3.IntegrityError):
        sql(path, "INSERT INTO series (symbol, resolution, derived) VALUES ('AAPL', '1D', true)")


def test_D02_a_server_on_an_older_store_says_what_to_run(url: str, path: Path) -> None:
    make_old_store(path)
    engine = open_engine(url)
    attempts: list[Callable[[], object]] = [
        lambda: check_schema(url),
        lambda: reading(engine).__enter__(),
        lambda: writing(engine).__enter__(),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match=r"version 0001 is older than 0003.*python -m trading_api migrate"):
            attempt()
    assert revision_at(url) == "0001"
    migrate(url)
    with reading(engine) as connection:
        assert connection is not None
    engine.dispose()


@pytest.mark.parametrize("revision", ["0004", "0010", "9f2c1d"])
def test_D02_a_store_of_a_newer_program_is_left_alone(url: str, path: Path, revision: str) -> None:
    migrate(url)
    sql(path, f"UPDATE alembic_version SET version_num = '{revision}'")
    before = path.read_bytes()
    for attempt in (migrate, check_schema, is_current):
        with pytest.raises(StoreError, match=f"{revision} is newer than 0003, the newest known; upgrade the program"):
            attempt(url)
    assert path.read_bytes() == before


def test_D02_another_programs_file_is_not_migrated(url: str, path: Path) -> None:
    path.parent.mkdir()
    sql(path, "CREATE TABLE cookies (host)")
    with pytest.raises(StoreError, match="tables of another program; choose another file"):
        migrate(url)
    assert sql(path, "SELECT name FROM sqlite_schema") == [("cookies",)]


@pytest.fixture
def failing_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real scripts, the last of which fails when all of its work is done."""
    scripts = tmp_path / "scripts"
    shutil.copytree(migrations.SCRIPTS, scripts)
    (last,) = (scripts / "versions").glob(f"r{HEAD}_*.py")
    last.write_text(
        last.read_text().replace(
            "def upgrade() -> None:",
            "def upgrade() -> None:\n    _do()\n    op.execute('FAIL')\n\n\ndef _do() -> None:",
        )
    )
    monkeypatch.setattr(migrations, "SCRIPTS", scripts)


@pytest.mark.usefixtures("failing_scripts")
def test_D02_a_migration_that_fails_half_way_leaves_the_old_store(url: str, path: Path) -> None:
    rows = make_old_store(path)
    schema = sql(path, "SELECT * FROM sqlite_schema ORDER BY name")
    with pytest.raises(StoreError, match='near "FAIL"'):
        migrate(url)
    assert sql(path, "SELECT * FROM sqlite_schema ORDER BY name") == schema
    assert (rows_of(path), revision_at(url)) == (rows, "0001")


@pytest.mark.usefixtures("failing_scripts")
def test_D02_a_store_that_cannot_be_made_stays_empty(url: str, path: Path) -> None:
    with pytest.raises(StoreError):
        migrate(url)
    assert revision_at(url) is None
    assert sql(path, "SELECT * FROM sqlite_schema") == []


def test_D02_a_locked_store_is_not_migrated(url: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_old_store(path)
    monkeypatch.setattr(migrations, "_PATIENCE_S", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked: another process is writing to it; try again"):
            migrate(url)
    assert migrate(url).changed


def test_D02_the_scripts_are_in_the_package() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(migrations.SCRIPTS))
    assert scripts.get_heads() == [HEAD]
    assert migrations.SCRIPTS.parent.name == "trading_api"
