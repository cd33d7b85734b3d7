"""M03 for WebSockets: a client sees the same whether one process serves, or the tree behind nginx."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.gateway_topology import Topology, one_process, tree
from support.live_client import Json, LiveClient, live_client
from support.project import project_in
from support.waiting import wait_until

pytestmark = pytest.mark.integration

QUOTE_FIELDS = {
    *("lp", "ask", "bid", "spread", "open_price", "high_price", "low_price", "prev_close_price", "volume", "ch", "chp"),
    *("short_name", "exchange", "description", "original_name"),
}


@contextmanager
def client(backend: Topology, module: str = "datafeed") -> Iterator[LiveClient]:
    with live_client(backend.project.port, module) as connected:
        yield connected


def topic_name(route: str, request: Json) -> str:
    """W02, written down independently: route, colon, compact JSON with sorted keys, UTF-8 as it is."""
    return f"{route}:{json.dumps(request, sort_keys=True, separators=(',', ':'), ensure_ascii=False)}"


def test_W02_subscribe_update_unsubscribe(backend: Topology) -> None:
    request = {"symbol": "BTCUSD", "resolution": "1"}
    with client(backend) as connected:
        reply = connected.ask("bars.subscribe", request, id="first")
        topic = topic_name("bars", request)
        payload = {"status": "ok", "message": "Subscribed", "topic": topic}
        assert reply == {"type": "bars.subscribe.response", "payload": payload, "id": "first"}
        frame = connected.wait(lambda frame: frame["type"] == "bars.update")
        assert set(frame) == {"type", "payload"}
        assert frame["payload"]["topic"] == topic
        assert set(frame["payload"]["payload"]) == {"time", "open", "high", "low", "close", "volume"}
        reply = connected.ask("bars.unsubscribe", request, id=7)
        assert (reply["type"], reply["id"], reply["payload"]["topic"]) == ("bars.unsubscribe.response", 7, topic)
        again = connected.ask("bars.unsubscribe", request)
        assert (again["type"], again["payload"]["code"]) == ("error", "not_subscribed")
        with pytest.raises(TimeoutError):
            connected.next(timeout=2.5)


def test_D01_bars_are_current_and_ascend(backend: Topology) -> None:
    with client(backend) as connected:
        topic = connected.subscribe("bars", {"symbol": "CRYPTO:btcusd", "resolution": "1"})
        bars = [connected.update(topic) for _ in range(4)]
        now = datetime.now(UTC).timestamp() * 1000
        assert all(bar["low"] <= min(bar["open"], bar["close"]) for bar in bars)
        assert all(bar["high"] >= max(bar["open"], bar["close"]) for bar in bars)
        assert [bar["time"] for bar in bars] == sorted(bar["time"] for bar in bars)
        assert 0 <= now - bars[-1]["time"] < 70_000
        assert all(bar["time"] % 60_000 == 0 for bar in bars)


def test_D01_a_second_client_gets_the_current_bar_of_a_closed_market_too(backend: Topology) -> None:
    """A day bar of MSFT stands still over a weekend; it comes at once all the same, to everybody."""
    with client(backend) as first, client(backend) as second:
        request = {"symbol": "MSFT", "resolution": "1D"}
        told = [each.update(each.subscribe("bars", request)) for each in (first, second)]
        assert told[0]["time"] == told[1]["time"]
        assert told[0]["time"] % 86_400_000 == 0


def test_D01_quotes_of_all_symbols_come_at_once_then_as_they_change(backend: Topology) -> None:
    request = {"symbols": ["AAPL", "nasdaq:msft", "NOPE"], "fast_symbols": ["BTCUSD"]}
    with client(backend) as connected:
        topic = connected.subscribe("quotes", request)
        assert topic == topic_name("quotes", request)
        first = {quote["n"]: quote for quote in (connected.update(topic) for _ in range(4))}
        assert set(first) == {"AAPL", "nasdaq:msft", "NOPE", "BTCUSD"}
        assert first["NOPE"] == {"s": "error", "n": "NOPE", "v": {}}
        for name in ("AAPL", "nasdaq:msft", "BTCUSD"):
            values = first[name]["v"]
            assert set(values) == QUOTE_FIELDS
            assert values["bid"] < values["ask"]
        assert first["nasdaq:msft"]["v"]["short_name"] == "MSFT"
        assert connected.update(topic, n="BTCUSD")["v"] != first["BTCUSD"]["v"]


def test_D01_rest_and_websocket_quote_alike(backend: Topology) -> None:
    with client(backend) as connected:
        topic = connected.subscribe("quotes", {"fast_symbols": ["BTCUSD"]})

        def same() -> bool:
            streamed = connected.update(topic)
            reply = backend.client.post("/api/v1/datafeed/quotes", json={"symbols": ["BTCUSD"]})
            return bool(reply.raise_for_status().json() == [streamed])

        wait_until(same, what="a quote of one second, streamed and asked for")


def test_D01_the_broker_is_connected_to_the_datafeed(backend: Topology) -> None:
    with client(backend, "broker") as connected:
        topic = connected.subscribe("broker-connection", {"accountId": "ACCOUNT-01"})
        assert topic == 'broker-connection:{"accountId":"ACCOUNT-01"}'
        state = connected.update(topic, status=1)
        assert set(state) == {"status", "message", "timestamp"}
        assert 0 <= datetime.now(UTC).timestamp() * 1000 - state["timestamp"] < 180_000


REFUSALS: dict[str, tuple[str | Json, str]] = {
    "no JSON": ("{", "invalid_json"),
    "no object": ("[]", "invalid_frame"),
    "no type": ({"payload": {}}, "invalid_frame"),
    "another module's route": ({"type": "broker-connection.subscribe", "payload": {"accountId": "A"}}, "unknown_type"),
    "no such action": ({"type": "bars.update", "payload": {}}, "unknown_type"),
    "no payload": ({"type": "bars.subscribe"}, "invalid_frame"),
    "a field too many": (
        {"type": "bars.subscribe", "payload": {"symbol": "A", "resolution": "1", "x": 1}},
        "invalid_payload",
    ),
    "no symbol at all": ({"type": "quotes.subscribe", "payload": {"symbols": []}}, "invalid_payload"),
    "an unknown symbol": ({"type": "bars.subscribe", "payload": {"symbol": "NO", "resolution": "1"}}, "refused"),
    "an unknown resolution": ({"type": "bars.subscribe", "payload": {"symbol": "ES", "resolution": "7"}}, "refused"),
    "imported bars": ({"type": "bars.subscribe", "payload": {"symbol": "AAPL", "resolution": "1D"}}, "refused"),
}


def test_W04_every_mistake_gets_a_reply_and_the_connection_stays(backend: Topology) -> None:
    with client(backend) as connected:
        for name, (sent, code) in REFUSALS.items():
            connected.send({**sent, "id": name} if isinstance(sent, dict) else sent)
            reply = connected.wait(lambda frame: frame["type"] == "error")
            assert reply["payload"]["code"] == code, name
            assert reply["payload"]["detail"], name
            assert ("id" in reply) == isinstance(sent, dict), name
        assert connected.ask("quotes.subscribe", {"symbols": ["ES"]})["payload"]["status"] == "ok"


def test_W03_subscribing_twice_counts_once(backend: Topology) -> None:
    request = {"symbol": "BTCUSD", "resolution": "5"}
    with client(backend) as connected:
        for number in (1, 2):
            assert connected.ask("bars.subscribe", request, id=number)["payload"]["status"] == "ok"
        assert connected.ask("bars.unsubscribe", request, id=3)["payload"]["status"] == "ok"
        assert connected.ask("bars.unsubscribe", request, id=4)["payload"]["code"] == "not_subscribed"


def test_W05_a_client_that_leaves_disturbs_no_other(backend: Topology) -> None:
    request = {"fast_symbols": ["BTCUSD"]}
    with client(backend) as stays:
        with client(backend) as leaves:
            topics = [each.subscribe("quotes", request) for each in (stays, leaves)]
            assert topics[0] == topics[1]
            assert leaves.ask("quotes.unsubscribe", request)["payload"]["status"] == "ok"
        assert all(stays.update(topics[0])["n"] == "BTCUSD" for _ in range(3))


def test_W04_a_frame_that_is_too_big_closes_with_1009(backend: Topology) -> None:
    with client(backend) as connected:
        connected.send("x" * (64 * 1024 + 1))
        assert connected.closed()[0] == 1009


def test_P05_clients_are_told_1012_when_one_process_stops(tmp_path: Path) -> None:
    with project_in(tmp_path / "project") as project, ExitStack() as clients:
        with one_process(project) as backend:
            wait_until(lambda: backend.get("/api/v1/datafeed/health").status_code == 200, what="the datafeed")
            connected = clients.enter_context(client(backend))
            connected.subscribe("quotes", {"fast_symbols": ["BTCUSD"]})
        # It has ended, with exit code 0.
        assert connected.closed()[0] == 1012


def test_P02_clients_are_told_1012_when_their_server_restarts_and_the_broker_comes_back(tmp_path: Path) -> None:
    with project_in(tmp_path / "project") as project, tree(project) as backend:
        with client(backend) as connected, client(backend, "broker") as follower:
            connected.subscribe("quotes", {"fast_symbols": ["BTCUSD"]})
            state = follower.subscribe("broker-connection", {"accountId": "DEMO-ACCOUNT"})
            follower.update(state, status=1)
            assert project.supervisorctl("restart", "datafeed:*").returncode == 0
            assert connected.closed()[0] == 1012
            assert follower.update(state, status=3)["message"] == "The datafeed restarts."
            follower.update(state, status=1)
        with client(backend) as connected:
            topic = connected.subscribe("quotes", {"fast_symbols": ["BTCUSD"]})
            assert connected.update(topic)["s"] == "ok"
