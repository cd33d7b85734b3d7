"""How a server with WebSockets stops (W03, P05)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.stopwatch import Stopwatch
from support.waiting import wait_until
from support.ws_raw import RawClient
from support.ws_server import ws_server
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection

pytestmark = pytest.mark.integration


def closed_with(client: ClientConnection) -> tuple[int, str]:
    """How the server closed."""
    with pytest.raises(ConnectionClosed) as caught:
        client.recv(timeout=60)
    closed = caught.value.rcvd
    assert closed is not None, caught.value
    return closed.code, closed.reason


def test_P05_200_subscribers_are_told_1012_and_the_stop_is_prompt() -> None:
    with ws_server(grace_s=60) as server:
        clients = [RawClient(server.port, "/api/v1/tested/ws") for _ in range(200)]
        for number, client in enumerate(clients):
            client.subscribe("strict", str(number % 20))
        assert server.statistics().topics == 20
        with ThreadPoolExecutor() as pool:
            codes = pool.map(read_and_confirm, clients)
            watch = Stopwatch()
            server.stop()
            took = watch.seconds
        assert list(codes) == [1012] * 200
        assert took < 1.0
        removed = [call for call in server.service.calls if call.startswith("remove")]
        assert len(removed) == 20
        # The service is shut down once, when its topics are gone.
        assert server.service.calls[-1] == "shutdown"
        assert server.service.topics == {}


def read_and_confirm(client: RawClient) -> int:
    code = client.read_close()
    client.close()
    return code


def test_W03_a_client_of_the_library_reads_1012_and_its_reason() -> None:
    with ws_server() as server, server.connect() as client:
        client.send(json.dumps({"type": "strict.subscribe", "payload": {"symbol": "A"}}))
        client.recv(timeout=60)
        server.stop()
        assert closed_with(client) == (1012, "the server stops or restarts")


def test_P05_clients_that_read_nothing_and_confirm_nothing_do_not_hold_up_the_stop() -> None:
    with ws_server(grace_s=60) as server:
        deaf = [RawClient(server.port, "/api/v1/tested/ws", buffer=4096) for _ in range(20)]
        for client in deaf:
            client.subscribe("newest", "A")
        server.run(lambda: server.service.say("newest:A", *["x" * 30_000] * 200))
        watch = Stopwatch()
        server.stop()
        assert watch.seconds < 1.5
        assert server.service.calls[-1] == "shutdown"
        for client in deaf:
            client.close()


def test_P05_a_topic_that_cannot_be_removed_does_not_hold_up_the_stop() -> None:
    with ws_server(grace_s=60) as server, server.connect() as client:
        client.send(json.dumps({"type": "strict.subscribe", "payload": {"symbol": "A"}}))
        client.recv(timeout=60)
        server.run(server.service.may_remove.clear)
        watch = Stopwatch()
        server.stop()
        assert watch.seconds < 2.5
        assert server.service.calls[-1] == "shutdown"


def test_W08_a_ping_of_the_client_is_answered() -> None:
    with ws_server() as server, RawClient(server.port, "/api/v1/tested/ws") as client:
        client.send(b"\x89\x82\0\0\0\0hi")
        assert next(client.frames()) == (Opcode.PONG, b"hi")


def test_A08_no_query_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with ws_server() as server:
        with RawClient(server.port, "/api/v1/tested/ws?token=hush") as client:
            client.subscribe("strict", "A")
        wait_until(lambda: not server.service.topics, what="the end of the topic")
    assert "hush" not in caplog.text


def test_A04_statistics_tell_what_is_there() -> None:
    import httpx

    with ws_server() as server, server.connect() as client:
        client.send(json.dumps({"type": "strict.subscribe", "payload": {"symbol": "A"}}))
        client.recv(timeout=60)
        server.say("strict:A", "x")
        answer = httpx.get(f"http://127.0.0.1:{server.port}/api/v1/tested/ws-stats", trust_env=False).json()
        assert (answer["connections"], answer["topics"], answer["subscriptions"], answer["delivered"]) == (1, 1, 1, 1)
