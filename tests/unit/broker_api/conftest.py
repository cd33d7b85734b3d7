"""The broker's app, made once: each test gets it as it was at first."""

import pytest
from support.broker_routes import Bench


@pytest.fixture(scope="session")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("broker"))


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    return shared_bench.fresh()


@pytest.fixture(scope="session")
def shared_debug_bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("broker"), debug_routes=True)


@pytest.fixture
def debug_bench(shared_debug_bench: Bench) -> Bench:
    """With the routes of development."""
    return shared_debug_bench.fresh()
