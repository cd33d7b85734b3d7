"""Stores and imports in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BarStore]:
    """A store that has no file yet."""
    opened = open_store(f"sqlite:///{tmp_path / 'data' / 'trading.db'}")
    yield opened
    opened.close()
