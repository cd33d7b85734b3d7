"""The example package for tests with processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.router_example import Example, example_in


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Example]:
    """A module `shop` without declarations yet."""
    with example_in(tmp_path) as example:
        yield example
