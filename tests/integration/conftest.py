"""Everything below is marked `integration`; `project` is a fresh deployment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.project import Project, project_in


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A deployment with the standard configuration written, not started."""
    with project_in(tmp_path / "project") as made:
        made.write()
        yield made
