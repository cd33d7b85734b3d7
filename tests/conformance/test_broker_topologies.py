"""D03, M03: the broker's rules hold to the cent through nginx with two brokers, as they do in one process."""

from collections.abc import Callable, Iterator

import pytest
from support.broker_market import add_instruments
from support.broker_scenarios import SCENARIOS
from support.broker_soak import deploy, store_url
from support.project import Project, project_in

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A tree with two brokers, of which one writes; nginx asks them in turn."""
    with project_in(tmp_path_factory.mktemp("brokers") / "project") as project:
        add_instruments(store_url(project), project.folder)
        deploy(project)
        yield project
        project.down()
        project.assert_gone()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_D03_the_rules_hold_through_nginx_with_two_brokers(deployed: Project, scenario: Callable[[str], None]) -> None:
    scenario(deployed.url)
    for name in ("broker-0", "broker-1"):
        assert "Traceback" not in deployed.log(name)
