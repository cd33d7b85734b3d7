"""Fixtures that run a test against both databases: import the one you need into the test's folder's conftest.py.

`store_url`: a store at the newest revision; `empty_store_url`: one that was never migrated (SQLite: no file yet).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from support.postgres import fresh_database, postgres_server
from support.store_file import put_store

from trading_api.shared.store.migrations import migrate

KINDS = ("sqlite", "postgresql")
_TEMPLATE = "migrated"


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated store without rows, of each kind."""
    with migrated_store(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=KINDS)
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store may be made, of each kind."""
    with empty_store(request.param, tmp_path) as url:
        yield url


@contextmanager
def migrated_store(kind: str, folder: Path) -> Iterator[str]:
    """A migrated store of `kind` without rows; a SQLite one lies in `folder`/data. Quick: it is a copy."""
    if kind == "sqlite":
        path = folder / "data" / "trading.db"
        put_store(path)
        yield f"sqlite:///{path}"
    else:
        _make_template()
        with fresh_database(template=_TEMPLATE) as url:
            yield url


@contextmanager
def empty_store(kind: str, folder: Path) -> Iterator[str]:
    """A place for a store of `kind`."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'data' / 'trading.db'}"
    else:
        with fresh_database() as url:
            yield url


@cache
def _make_template() -> None:
    server = postgres_server()
    server.execute(f"CREATE DATABASE {_TEMPLATE}")
    migrate(server.url(_TEMPLATE))
