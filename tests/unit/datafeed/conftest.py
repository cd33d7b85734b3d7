"""Stores and imports in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trading_api.modules.datafeed.sqlite_store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store that has no file yet."""
    sqlite_store = SqliteStore(tmp_path / "data" / "trading.db")
    yield sqlite_store
    sqlite_store.close()
