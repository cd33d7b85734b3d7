"""PostgreSQL's own faults: servers that are not there, users that may not, connections that die."""

import socket
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import Engine, insert, select
from support.postgres import GUARDED_PASSWORD, GUARDED_USER, SUPERUSER, fresh_database, postgres_server
from support.store_urls import migrated_store

from trading_api.shared.store.engine import open_engine, reading, writing
from trading_api.shared.store.errors import StoreError
from trading_api.shared.store.migrations import check_schema, migrate, revision_at
from trading_api.shared.store.tables import leases

pytestmark = pytest.mark.integration

ROW = {"name": "a", "epoch": 1, "holder": None, "beat": 0}


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with migrated_store("postgresql", tmp_path_factory.mktemp("unused")) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


def refused(url: str) -> str:
    """What each way to use the store says; the same, and without the password."""
    messages = set()
    for attempt in (migrate, check_schema, revision_at):
        with pytest.raises(StoreError) as caught:
            attempt(url)
        messages.add(str(caught.value))
        assert caught.value.__cause__ is None
        assert "hunter2" not in str(caught.value)
    (message,) = messages
    return message


def test_D02_a_server_that_is_not_there_is_said_so() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        message = refused(f"postgresql://u:hunter2@127.0.0.1:{port}/trading")
    assert message.startswith(f"127.0.0.1:{port}/trading: ")
    assert "check that the server runs, and the host, port and user" in message


def test_D02_a_host_that_does_not_exist_is_said_so() -> None:
    message = refused("postgresql://u:hunter2@no-such-host.invalid/trading")
    assert "no-such-host.invalid:5432/trading: " in message
    assert "check that the server runs, and the host, port and user" in message


def test_D02_a_wrong_password_is_said_so(url: str) -> None:
    guarded = url.replace(SUPERUSER, f"{GUARDED_USER}:hunter2", 1)
    assert "password authentication failed" in refused(guarded)
    assert refused(guarded).endswith("check the password in the store URL")
    assert "check the password in the store URL" in refused(url.replace(SUPERUSER, GUARDED_USER, 1))


def test_D02_a_database_that_does_not_exist_is_said_so() -> None:
    message = refused(postgres_server().url("nowhere"))
    assert message.endswith("create the database, or correct its name in the store URL")


def test_D02_a_user_that_does_not_exist_is_said_so() -> None:
    assert "check the user in the store URL" in refused(postgres_server().url("postgres", user="stranger"))


def test_D02_a_parameter_that_does_not_exist_is_said_so() -> None:
    assert "invalid" in refused(postgres_server().url("postgres") + "?no_such=1")


def test_D02_a_user_without_rights_is_said_so(url: str) -> None:
    quoted = GUARDED_PASSWORD.replace("%", "%25")
    guarded = url.replace(SUPERUSER, f"{GUARDED_USER}:{quoted}", 1)
    with pytest.raises(StoreError, match=r"permission denied.*grant it what it lacks"):
        migrate(guarded)
    assert revision_at(guarded) is None


def test_D02_tables_of_another_program_stay_untouched(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE series (title text)")
    with pytest.raises(StoreError, match='"series" already exists: the schema holds tables of another program'):
        migrate(url)
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("series",)]


def test_D02_a_store_before_the_newest_revision_is_said_so(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
    with pytest.raises(StoreError, match=r"older than 0003.*python -m trading_api migrate"):
        check_schema(url)


def test_D02_a_connection_that_died_is_replaced(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(leases), ROW)
    _end_connections(engine)
    with reading(engine) as reader:
        assert reader is not None
        assert reader.scalars(select(leases.c.name)).all() == ["a"]


def test_D02_a_connection_that_dies_in_a_transaction_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(StoreError, match="terminating connection"):
        _write_and_be_cut_off(engine)
    with reading(engine) as reader:
        assert reader is not None
        assert reader.scalars(select(leases.c.name)).all() == []


def _write_and_be_cut_off(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(leases), ROW)
        _end_connections(engine)
        connection.execute(insert(leases), {**ROW, "name": "b"})


def _end_connections(engine: Engine) -> None:
    database = engine.url.database
    assert database is not None
    postgres_server().execute(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'"
    )


def test_D02_reading_cannot_write(engine: Engine) -> None:
    with pytest.raises(StoreError, match="read-only transaction"):
        _write_while_reading(engine)


def _write_while_reading(engine: Engine) -> None:
    with reading(engine) as connection:
        assert connection is not None
        connection.execute(insert(leases), ROW)
