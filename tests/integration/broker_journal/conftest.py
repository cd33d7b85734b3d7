"""Both databases for the tests of this folder, and a journal on each."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from support.store_urls import empty_store_url, store_url

from trading_api.modules.broker.journal.journal import Journal
from trading_api.shared.store.engine import open_engine

__all__ = ["empty_store_url", "store_url"]


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    engine = open_engine(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def journal(engine: Engine) -> Journal:
    return Journal(engine)
