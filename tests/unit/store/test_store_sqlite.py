"""A store in a SQLite file: its modes, its locks, and what goes wrong with files."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from trading_api.shared.store import sqlite
from trading_api.shared.store.engine import open_engine, reading, upsert, writing
from trading_api.shared.store.errors import StoreError
from trading_api.shared.store.migrations import migrate
from trading_api.shared.store.tables import leases

ROW = {"name": "a", "epoch": 1, "holder": None, "beat": 0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """In a folder that is missing as well."""
    return tmp_path / "made" / "data" / "trading.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def names(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        assert connection is not None
        return list(connection.scalars(select(leases.c.name).order_by(leases.c.name)))


def add(engine: Engine, name: str) -> None:
    with writing(engine) as connection:
        connection.execute(insert(leases), {**ROW, "name": name})


def quick_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(sqlite.connect, "__kwdefaults__", {"busy_seconds": 0.05})


def test_D02_reading_makes_no_store(engine: Engine, path: Path) -> None:
    with reading(engine) as connection:
        assert connection is None
    assert not path.parent.exists()


def test_D02_an_empty_file_reads_as_an_empty_store(engine: Engine, path: Path) -> None:
    sqlite.create_file(path)
    with reading(engine) as connection:
        assert connection is None
    assert path.read_bytes() == b""
    add(engine, "b")
    assert names(engine) == ["b"]


def test_D02_writing_makes_the_store_for_nobody_else(engine: Engine, path: Path) -> None:
    add(engine, "a")
    assert names(engine) == ["a"]
    modes = {
        entry: stat.S_IMODE(entry.stat().st_mode) for entry in (path.parent, path.parent.parent, *path.parent.iterdir())
    }
    assert {mode for entry, mode in modes.items() if entry.is_dir()} == {0o700}
    assert {mode for entry, mode in modes.items() if entry.is_file()} == {0o600}
    assert f"{path.name}-wal" in {entry.name for entry in modes}


def test_D02_a_store_is_durable_and_checks_its_keys(engine: Engine) -> None:
    with writing(engine) as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in _PRAGMAS]
    assert dict(zip(_PRAGMAS, pragmas, strict=True)) == _PRAGMAS
    with pytest.raises(StoreError, match="FOREIGN KEY"), writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO bars VALUES (99, 0, 0, 1, 1, 1, 1, 0, 1)")


_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_D02_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    add(engine, "kept")
    with suppress(ZeroDivisionError), writing(engine) as connection:
        connection.execute(insert(leases), {**ROW, "name": "lost"})
        raise ZeroDivisionError
    with pytest.raises(StoreError, match="UNIQUE"), writing(engine) as connection:
        connection.execute(insert(leases), [{**ROW, "name": "lost"}, {**ROW, "name": "kept"}])
    assert names(engine) == ["kept"]


def test_D02_an_error_that_was_handled_inside_is_the_callers_own(engine: Engine) -> None:
    add(engine, "a")
    with writing(engine) as connection:
        with pytest.raises(IntegrityError):
            connection.execute(insert(leases), ROW)
        connection.execute(insert(leases), {**ROW, "name": "b"})
    assert names(engine) == ["a", "b"]


def test_D02_readers_see_one_moment_while_others_write(engine: Engine) -> None:
    add(engine, "a")
    query = select(leases.c.name)
    with reading(engine) as connection:
        assert connection is not None
        before = connection.scalars(query).all()
        add(engine, "b")
        assert connection.scalars(query).all() == before == ["a"]
    assert names(engine) == ["a", "b"]


def test_D02_a_second_writer_waits_and_then_says_why(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_to_give_up(monkeypatch)
    add(engine, "a")
    with writing(engine) as holder:
        with pytest.raises(StoreError, match=r"locked: another process is writing to it; try again"):
            add(engine, "b")
        # The lock was taken before anything was written.
        holder.execute(insert(leases), {**ROW, "name": "c"})
    add(engine, "d")
    assert names(engine) == ["a", "c", "d"]


def test_D02_upsert_replaces_by_key(engine: Engine) -> None:
    for beat in (1, 2):
        with writing(engine) as connection:
            row = upsert(connection, leases).values(**{**ROW, "beat": beat})
            connection.execute(
                row.on_conflict_do_update(index_elements=[leases.c.name], set_={"beat": row.excluded.beat})
            )
    with reading(engine) as connection:
        assert connection is not None
        assert connection.execute(select(leases.c.name, leases.c.beat)).all() == [("a", 2)]


def test_D02_a_file_that_took_the_stores_place_is_read(engine: Engine, path: Path, tmp_path: Path) -> None:
    add(engine, "old")
    assert names(engine) == ["old"]
    restored = tmp_path / "backup.db"
    other = open_engine(f"sqlite:///{restored}")
    add(other, "restored")
    other.dispose()
    # Whoever restores a backup sees to it that no log of the old file is left, or SQLite would apply it to the new one.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    restored.replace(path)
    assert names(engine) == ["restored"]
    add(engine, "more")
    assert names(engine) == ["more", "restored"]


def test_D02_a_store_that_was_deleted_is_empty_again(engine: Engine, path: Path) -> None:
    add(engine, "old")
    for file in path.parent.iterdir():
        file.unlink()
    with reading(engine) as connection:
        assert connection is None


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as the header of one" * 20])
def test_D02_a_file_that_is_no_database_is_said_so(engine: Engine, path: Path, content: bytes) -> None:
    sqlite.create_file(path)
    path.write_bytes(content)
    for use in (reading, writing):
        with pytest.raises(StoreError, match="not a database: choose another file"), use(engine):
            pass
    assert path.read_bytes() == content


def test_D02_another_programs_database_is_left_alone(engine: Engine, path: Path) -> None:
    sqlite.create_file(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cookies (host)")
    before = path.read_bytes()
    for use in (reading, writing):
        with pytest.raises(StoreError, match="tables of another program"), use(engine):
            pass
    assert path.read_bytes() == before


def test_D02_a_folder_in_the_stores_place_is_said_so(engine: Engine, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="check the path"), reading(engine):
        pass


def test_D02_a_path_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    engine = open_engine(f"sqlite:///{tmp_path}/file/x.db")
    with pytest.raises(StoreError, match=r"x\.db: Not a directory"), writing(engine):
        pass
    engine.dispose()


def _fill(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count = 1")
    connection.execute(insert(leases), [{**ROW, "name": f"{n:0100}"} for n in range(1000)])


def test_D02_a_full_store_takes_nothing_of_a_transaction(engine: Engine) -> None:
    add(engine, "a")
    with pytest.raises(StoreError, match="full: the disk is full; free some space"), writing(engine) as connection:
        _fill(connection)
    assert names(engine) == ["a"]


def test_D02_names_with_odd_characters_are_files(tmp_path: Path) -> None:
    path = tmp_path / "50% #1 é ü.db"
    migrate(f"sqlite:///{path}")
    engine = open_engine(f"sqlite:///{path}")
    add(engine, "a")
    assert names(engine) == ["a"]
    engine.dispose()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
