"""What the errors of a store mean to the person who reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class StoreError(Exception):
    """The store cannot do what was asked (locked, full, unreadable, too new, unreachable); nothing of it was done."""


class StoreUrlError(ValueError):
    """The URL names no store that can be opened."""


_BUSY = "another process is writing to it; try again when it has finished"
_FULL = "the disk is full; free some space"
_SQLITE_ADVICE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_NOTADB: "choose another file, or restore this one from a backup",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup",
    sqlite3.SQLITE_READONLY: "check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "check the path, and the permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "check the disk, its free space and the limit on file sizes (ulimit -f)",
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_ADVICE = {
    "28P01": "check the password in the store URL",
    "28000": "check the user in the store URL, and the server's pg_hba.conf",
    "3D000": "create the database, or correct its name in the store URL",
    "42501": "let the user of the store URL own the schema, or grant it what it lacks",
    "25006": "it is read-only (a standby?); use the URL of the primary server",
    "53100": _FULL,
    "53300": "the server has no connection left; raise max_connections, or run fewer instances",
    "55P03": _BUSY,
    "40P01": _BUSY,
    "40001": _BUSY,
    "57P03": "the server is starting or stopping; try again",
    "42P07": "the schema holds tables of another program; use a database of its own",
}
_UNREACHABLE = "check that the server runs, and the host, port and user in the store URL"


@contextmanager
def store_errors(place: str) -> Iterator[None]:
    """Turn an error of a database or of the file system into a StoreError that names the place and says what to do."""
    try:
        with database_errors(place):
            yield
    except OSError as error:
        raise StoreError(f"{place}: {error.strerror or error}") from error


@contextmanager
def database_errors(place: str) -> Iterator[None]:
    """The same for errors of a database only; an OSError belongs to somebody else and passes.

    The cause is dropped where it could hold what the message must not: the statement's values, or the URL.
    """
    try:
        yield
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        raise StoreError(f"{place}: {explained}") from None


def is_busy(error: BaseException) -> bool:
    """Whether another connection of a SQLite file stood in the way."""
    return _sqlite_code(error) == sqlite3.SQLITE_BUSY


def explain(error: Exception) -> str | None:
    """What went wrong and what to do, in one line; None if it is no error of a database."""
    if isinstance(error, sqlite3.Error):
        return _with_advice(str(error), _SQLITE_ADVICE.get(_sqlite_code(error)))
    if _is_from(error, "psycopg"):
        return _explain_postgres(error)
    if not _is_from(error, "sqlalchemy"):
        return None
    original = getattr(error, "orig", None)
    inner = explain(original) if isinstance(original, Exception) else None
    return inner or _explain_sqlalchemy(error)


def _explain_sqlalchemy(error: Exception) -> str:
    """An error of SQLAlchemy's own, such as a pool without a free connection."""
    from sqlalchemy.exc import TimeoutError as NoConnectionLeft

    if isinstance(error, NoConnectionLeft):
        return "every connection to it is in use; try again"
    return str(error).partition("\n")[0]


def _explain_postgres(error: Exception) -> str:
    from psycopg import InterfaceError, OperationalError

    message = _first_line(str(error))
    state = getattr(error, "sqlstate", None) or _login_state(message)
    advice = _POSTGRES_ADVICE.get(state)
    if advice is None and (state[:2] in {"", "08", "57"}) and isinstance(error, OperationalError | InterfaceError):
        advice = _UNREACHABLE
    return _with_advice(message, advice)


def _login_state(message: str) -> str:
    """The code of a refused login: the client library hands over only the text of it."""
    signs = {
        "password authentication failed": "28P01",
        "no password supplied": "28P01",
        "no pg_hba.conf entry": "28000",
        "too many clients": "53300",
        "remaining connection slots": "53300",
        "the database system is": "57P03",
    }
    if 'FATAL:  database "' in message or ("database" in message and "does not exist" in message):
        return "3D000"
    if "role" in message and "does not exist" in message:
        return "28000"
    return next((state for sign, state in signs.items() if sign in message), "")


def _first_line(message: str) -> str:
    """Servers add details and hints in further lines; a login names each address that was tried."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"


def _with_advice(message: str, advice: str | None) -> str:
    return f"{message}: {advice}" if advice else message


def _sqlite_code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    # The upper bits say more than is needed here (SQLITE_BUSY_SNAPSHOT and the like).
    return code & 0xFF


def _is_from(error: Exception, package: str) -> bool:
    """Whether one of the error's classes is of `package`, without importing it for the question."""
    return any(kind.__module__.partition(".")[0] == package for kind in type(error).__mro__)
