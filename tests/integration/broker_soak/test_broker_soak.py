"""A short soak: `make soak` does the same for minutes (D04)."""

import asyncio
from pathlib import Path

import pytest
from support.broker_soak import deploy, problems_of, soak
from support.project import project_in

pytestmark = [pytest.mark.integration, pytest.mark.long]


def test_D04_orders_survive_kills_and_pauses_of_brokers_and_bus(tmp_path: Path) -> None:
    with project_in(tmp_path / "project") as project:
        deploy(project)
        found = asyncio.run(soak(project, seconds=15, seed=5))
        assert problems_of(project, found) == []
        assert found.disturbances >= 2
        assert len(found.load.placed) > 50
        project.down()
