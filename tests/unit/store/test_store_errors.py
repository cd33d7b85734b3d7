"""What errors of databases become, and which errors are somebody else's."""

import sqlite3

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from trading_api.shared.store.errors import StoreError, database_errors, store_errors
from trading_api.shared.store.revision import HEAD, Standing, standing

POSTGRES = [
    (psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"), "another process is writing"),
    (psycopg.errors.DeadlockDetected("deadlock detected\nDETAIL: x"), "^here: deadlock detected: another process"),
    (psycopg.errors.DiskFull("could not extend file"), "the disk is full; free some space"),
    (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "read-only"),
    (psycopg.errors.TooManyConnections("too many"), "max_connections"),
    (psycopg.errors.AdminShutdown("terminating connection"), "check that the server runs"),
    (psycopg.OperationalError("connection is bad: no reason"), "check that the server runs"),
    (psycopg.OperationalError('FATAL:  password authentication failed for user "u"'), "check the password"),
    (psycopg.OperationalError("FATAL:  sorry, too many clients already"), "max_connections"),
    (psycopg.OperationalError("FATAL:  the database system is starting up"), "starting or stopping"),
    (psycopg.OperationalError("FATAL:  no pg_hba.conf entry for host"), "pg_hba.conf"),
    (psycopg.errors.UniqueViolation("duplicate key"), "^here: duplicate key$"),
    (psycopg.OperationalError(""), "no reason given"),
]


@pytest.mark.parametrize(("error", "words"), POSTGRES, ids=[words for _, words in POSTGRES])
def test_D02_errors_of_postgresql_say_what_to_do(error: psycopg.Error, words: str) -> None:
    with pytest.raises(StoreError, match=words), store_errors("here"):
        raise error


def test_D02_errors_do_not_repeat_what_was_to_be_written() -> None:
    with create_engine("sqlite://").connect() as connection:
        with pytest.raises(StoreError) as caught, store_errors("here"):
            connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "hunter2"})
        connection.rollback()
    assert str(caught.value) == "here: no such table: nowhere"
    assert caught.value.__cause__ is None


def test_D02_errors_of_sqlalchemy_itself_are_translated() -> None:
    with pytest.raises(StoreError, match=r"^here: one line$"), store_errors("here"):
        raise SQLAlchemyError("one line\nand another")


def test_D02_a_file_error_is_the_stores_where_the_store_opens_files() -> None:
    with pytest.raises(StoreError, match=r"^here: No space left on device$"), store_errors("here"):
        raise OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left"), database_errors("here"):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), StoreError("once is enough"), KeyboardInterrupt()])
def test_D02_other_errors_pass_as_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, store_errors("here"):
        raise error
    assert caught.value is error


def test_D02_an_unknown_sqlite_error_is_told_as_it_is() -> None:
    with pytest.raises(StoreError, match=r"^here: no such column: x$"), store_errors("here"):
        sqlite3.connect(":memory:").execute("SELECT x")


def test_D02_revisions_are_told_apart() -> None:
    assert standing(None, "here") is Standing.EMPTY
    assert standing("0001", "here") is Standing.OLDER
    assert standing(HEAD, "here") is Standing.CURRENT
    for unknown in ("0000", "0004", "1", "", "abcd"):
        with pytest.raises(StoreError, match="newest known"):
            standing(unknown, "here")
