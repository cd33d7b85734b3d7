"""D03: the rules of the broker over HTTP, to the cent, against one process; and the guide's worked examples."""

import os
from collections.abc import Callable, Iterator

import pytest
from support.broker_guide import examples, outputs, update
from support.broker_scenarios import SCENARIOS
from support.broker_server import BrokerServer, broker_server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerServer]:
    """Serving, with the default terms; each test resets the account first."""
    with broker_server(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_D03_the_rules_hold_over_http(broker: BrokerServer, scenario: Callable[[str], None]) -> None:
    scenario(broker.url)
    assert "Traceback" not in broker.log


def test_D03_the_worked_examples_of_the_guide_print_what_it_shows(broker: BrokerServer) -> None:
    chosen = [example for example in examples() if example.shown and example.heading != "Commissions"]
    assert len(chosen) == 9
    printed = outputs(broker.url, chosen)
    if os.environ.get("UPDATE_GOLDEN"):
        update(chosen, printed)
        return
    assert printed == [example.shown for example in chosen]
