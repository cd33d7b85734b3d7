"""Whether a store's schema is the newest, told in a millisecond: `up` asks every time. Imports no SQLAlchemy."""

from __future__ import annotations

from contextlib import closing

from trading_api.shared.store import sqlite
from trading_api.shared.store.address import StoreAddress, parse_store_url
from trading_api.shared.store.errors import store_errors
from trading_api.shared.store.revision import Standing, standing


def is_current(url: str) -> bool | None:
    """Whether nothing has to be migrated; None: cannot be told without SQLAlchemy (PostgreSQL).

    Raises StoreUrlError, and StoreError for a store that is too new or cannot be read.
    """
    address = parse_store_url(url)
    if address.path is None:
        return None
    return standing(sqlite_revision(address), address.place) is Standing.CURRENT


def sqlite_revision(address: StoreAddress) -> str | None:
    """The revision of a SQLite store, None if it is empty or there is no file. Raises StoreError."""
    assert address.path is not None
    with store_errors(address.place):
        if not address.path.exists():
            return None
        with closing(sqlite.connect(address.path)) as connection:
            return sqlite.read_revision(connection, address.place)
