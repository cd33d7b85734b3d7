"""The gateway's WebSocket routes follow from what the modules declare (C06, N03)."""

import json

import pytest
from support.project import Project
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.integration


def ask(address: str, route: str, payload: object) -> str:
    """The type of the reply to a subscription."""
    with connect(address, proxy=None) as client:
        client.send(json.dumps({"type": f"{route}.subscribe", "payload": payload}))
        return str(json.loads(client.recv(timeout=60))["type"])


def test_C06_N03_a_route_is_found_by_its_name_without_being_configured(project: Project) -> None:
    project.write({**project.standard(), "websocket": {"routing_strategy": "query_param"}})
    project.up()
    address = f"ws://127.0.0.1:{project.port}/api/v1/ws"
    answered = {
        "quotes": ask(f"{address}?type=quotes", "quotes", {"fast_symbols": ["BTCUSD"]}),
        "bars": ask(f"{address}?type=bars", "bars", {"symbol": "BTCUSD", "resolution": "1"}),
        "broker-connection": ask(f"{address}?type=broker-connection", "broker-connection", {"accountId": "A"}),
    }
    assert answered == {route: f"{route}.subscribe.response" for route in answered}
    with pytest.raises(InvalidStatus, match="404"):
        connect(f"{address}?type=nothing", proxy=None)
    # Each module's own address is there as well.
    assert ask(f"ws://127.0.0.1:{project.port}/api/v1/datafeed/ws", "quotes", {"symbols": ["ES"]}).endswith("response")
