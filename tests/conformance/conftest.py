"""The backends that every suite here runs against: one process, and the tree behind nginx (M03)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from support.gateway_topology import Topology, import_example, one_process, tree
from support.project import Project, project_in

TOPOLOGIES: dict[str, Callable[[Project], AbstractContextManager[Topology]]] = {
    "one process": one_process,
    "tree": tree,
}


@pytest.fixture(scope="module", params=TOPOLOGIES)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A running backend with the example's bars; one of each topology for a whole file."""
    folder = tmp_path_factory.mktemp("topology") / "project"
    with project_in(folder) as project, TOPOLOGIES[request.param](project) as running:
        import_example(project)
        yield running
