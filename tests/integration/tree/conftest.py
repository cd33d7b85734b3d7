"""Deployments for the tests of the tree; a start takes about two seconds, so what can be shared is shared."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.probe_module import add_probe, probe_config
from support.project import PATIENT, Project, own_backend, project_in


@pytest.fixture(scope="session")
def probe_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The import path of a backend that has the module `probe` (`support.probe_module`)."""
    folder = tmp_path_factory.mktemp("probe")
    add_probe(own_backend(Project(folder, 0)))
    return folder / "backend-copy"


@pytest.fixture
def small(project: Project) -> Project:
    """A deployment of one server, `core`: the quickest tree there is."""
    servers = {"core": {"port": project.port + 7}}
    project.write({"nginx": {"port": project.port}, "servers": servers, "health": PATIENT})
    return project


@pytest.fixture
def probed(tmp_path: Path, probe_path: Path) -> Iterator[Project]:
    """A deployment with the server `probe` in front of its own module, and `core`."""
    with project_in(tmp_path / "p") as made:
        made.environment["PYTHONPATH"] = str(probe_path)
        made.write(probe_config(made))
        yield made
