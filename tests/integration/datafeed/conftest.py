"""Both databases for the tests of this folder."""

from collections.abc import Iterator

import pytest
from support.store_urls import empty_store_url, store_url

from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store

__all__ = ["empty_store_url", "store_url"]


@pytest.fixture
def bar_store(store_url: str) -> Iterator[BarStore]:
    """A migrated store without rows, of each kind of database."""
    opened = open_store(store_url)
    yield opened
    opened.close()
