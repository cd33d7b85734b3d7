"""The client of the contract with one of everything, rendered once."""

from collections.abc import Iterator
from types import ModuleType

import pytest
from support.clients_contract import imported, sink, write_client


@pytest.fixture(scope="session")
def sink_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package `sink_clients`: index, client, models and runtime of that contract."""
    folder = write_client(tmp_path_factory.mktemp("clients") / "sink_clients", sink())
    with imported(folder) as package:
        yield package
