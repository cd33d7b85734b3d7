"""Real clients of every kind on a real server (W03, W04, W05, W06, W08)."""

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from support.waiting import wait_until
from support.ws_raw import RawClient, masked
from support.ws_server import WsServer, ws_server
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection

pytestmark = pytest.mark.integration

Json = dict[str, Any]


@pytest.fixture
def server() -> Iterator[WsServer]:
    with ws_server() as running:
        yield running


def ask(client: ClientConnection, frame: Json | str | bytes) -> Json:
    client.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
    return receive(client)


def receive(client: ClientConnection) -> Json:
    value: Json = json.loads(client.recv(timeout=60))
    return value


def subscribe(client: ClientConnection, route: str = "strict", symbol: str = "A") -> Json:
    return ask(client, {"type": f"{route}.subscribe", "payload": {"symbol": symbol}})


def read_to_end(client: ClientConnection, into: list[str | bytes] | None = None) -> None:
    while True:
        message = client.recv(timeout=60)
        if into is not None:
            into.append(message)


def flood(client: ClientConnection) -> None:
    while True:
        client.send("{")


def close_code(client: ClientConnection) -> tuple[int, str]:
    """How the server closed, once all that came before has been read."""
    with pytest.raises(ConnectionClosed) as caught:
        read_to_end(client)
    closed = caught.value.rcvd
    assert closed is not None, caught.value
    return closed.code, closed.reason


def test_W02_a_subscriber_gets_updates_until_it_unsubscribes(server: WsServer) -> None:
    with server.connect() as client:
        assert subscribe(client)["payload"]["topic"] == 'strict:{"symbol":"A"}'
        server.say("strict:A", "ä" * 100, "x" * 100_000)
        assert receive(client)["payload"]["payload"] == {"text": "ä" * 100}
        assert receive(client)["payload"]["payload"] == {"text": "x" * 100_000}
        reply = ask(client, {"type": "strict.unsubscribe", "payload": {"symbol": "A"}, "id": 3})
        assert (reply["type"], reply["id"]) == ("strict.unsubscribe.response", 3)
        wait_until(lambda: not server.service.topics, what="the end of the topic")


@pytest.mark.parametrize("rubbish", ["", "{", "[]", b"\x00\xff", "null", '{"type":1}', "x" * 65_536])
def test_W04_rubbish_is_answered_and_the_connection_stays(server: WsServer, rubbish: str | bytes) -> None:
    with server.connect() as client:
        assert ask(client, rubbish)["type"] == "error"
        assert subscribe(client)["payload"]["status"] == "ok"


def test_W04_a_frame_that_is_too_large_closes_with_1009(server: WsServer) -> None:
    with server.connect() as client:
        subscribe(client)
        client.send("x" * 65_537)
        assert close_code(client)[0] == 1009
    wait_until(lambda: not server.service.topics, what="the end of the topic")


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (masked(Opcode.TEXT, b"\xff\xfe"), 1007),
        (masked(Opcode.TEXT, b"\xff", fin=False) + masked(Opcode.CONT, b"\xff"), 1007),
        (masked(Opcode.TEXT, b"x" * 60_000, fin=False) + masked(Opcode.CONT, b"x" * 60_000), 1009),
        (b"\x81\x02hi", 1002),
        (b"\xf1\x80\x00\x00\x00\x00", 1002),
        (masked(Opcode.CONT, b"x"), 1002),
        (b"\x89\xfe\x00\x7e" + b"\0" * 130, 1002),
    ],
    # The masks are random, which is no name for a test.
    ids=["no UTF-8", "no UTF-8 in parts", "too large in parts", "unmasked", "reserved bits", "lone part", "large ping"],
)
def test_W04_a_broken_protocol_is_closed_with_its_code_and_not_an_error_of_the_server(
    server: WsServer, wire: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    with RawClient(server.port, "/api/v1/tested/ws") as client:
        client.subscribe("strict", "A")
        client.send(wire)
        assert client.read_close() == code
    wait_until(lambda: not server.service.topics, what="the end of the topic")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_W04_a_flood_is_refused_then_closed_and_others_do_not_notice(server: WsServer) -> None:
    with server.connect() as healthy, server.connect() as flooder:
        subscribe(healthy)
        with pytest.raises(ConnectionClosed):
            flood(flooder)
        server.say("strict:A", "calm")
        assert receive(healthy)["payload"]["payload"] == {"text": "calm"}
        now = wait_until(lambda: now if (now := server.statistics()).disconnected_flooding else None)
        assert now is not None
        assert (now.connections, now.disconnected_flooding) == (1, 1)


def test_W04_a_flooder_reads_why_it_was_closed(server: WsServer) -> None:
    with server.connect() as flooder:
        for _ in range(450):
            flooder.send("{")
        replies: list[str | bytes] = []
        with pytest.raises(ConnectionClosedError) as caught:
            read_to_end(flooder, into=replies)
        codes = [json.loads(reply)["payload"]["code"] for reply in replies]
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "flooding: too many messages")
        assert codes[:200] == ["invalid_json"] * 200
        assert set(codes[210:]) == {"rate_limited"}


def test_W05_a_client_that_never_reads_is_closed_and_others_get_everything(server: WsServer) -> None:
    with server.connect() as healthy, RawClient(server.port, "/api/v1/tested/ws", buffer=4096) as slow:
        subscribe(healthy)
        slow.subscribe("strict", "A")
        text = "x" * 10_000
        for number in range(5000):
            server.say("strict:A", f"{number} {text}")
            assert receive(healthy)["payload"]["payload"]["text"].startswith(f"{number} ")
            if not number % 50 and server.statistics().disconnected_slow:
                break
        now = server.statistics()
        assert (now.disconnected_slow, now.connections) == (1, 1)
        # When it reads at last, it learns why: before its time is up the close frame is there to be read.
        assert slow.read_close() == 1008
    with healthy:
        pass
    wait_until(lambda: not server.service.topics, what="the end of the topic")


def test_W05_a_client_that_never_reads_does_not_keep_its_connection(server: WsServer) -> None:
    with RawClient(server.port, "/api/v1/tested/ws", buffer=4096) as slow:
        slow.subscribe("strict", "A")
        server.run(lambda: server.service.say("strict:A", *["x" * 30_000] * 1500))
        assert server.statistics().disconnected_slow == 1
        wait_until(lambda: not server.server.server_state.connections, what="the end of the connection")


def test_W06_a_client_that_never_reads_a_conflating_topic_stays_and_gets_the_newest(server: WsServer) -> None:
    with RawClient(server.port, "/api/v1/tested/ws", buffer=4096) as slow:
        slow.subscribe("newest", "A")
        for number in range(3000):
            server.say("newest:A", f"{number} {'x' * 10_000}")
        assert server.statistics().conflated > 1000
        texts = [frame["payload"]["payload"]["text"] for frame in slow.read_until('"text":"2999 ')]
        order = [int(text.split()[0]) for text in texts]
        assert order == sorted(order)
        assert order[0] == 0
        assert len(order) < 2000
        assert server.statistics().disconnected_slow == 0


def test_W03_a_client_that_aborts_its_connection_leaves_nothing(server: WsServer) -> None:
    before = server.tasks()
    for _ in range(20):
        client = RawClient(server.port, "/api/v1/tested/ws")
        client.subscribe("strict", "A")
        # RST instead of a close.
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    wait_until(lambda: server.statistics().connections == 0, what="the end of the connections")
    wait_until(lambda: not server.service.topics, what="the end of the topic")
    wait_until(lambda: server.tasks() == before, what="the end of the tasks")


def test_W03_W08_a_half_open_connection_is_found_by_ping_and_a_quiet_healthy_one_is_kept() -> None:
    with ws_server(ping_s=0.2) as server, server.connect(ping_s=None) as quiet:
        subscribe(quiet, symbol="B")
        with RawClient(server.port, "/api/v1/tested/ws") as dead:
            dead.subscribe("strict", "A")
            # Nobody answers pings on it, as if the machine had lost its power.
            wait_until(lambda: server.statistics().connections == 1, what="the ping to fail")
            wait_until(lambda: len(server.service.topics) == 1, what="the end of its topic")
            assert dead.read_close() == 1011
        server.say("strict:B", "still here")
        assert receive(quiet)["payload"]["payload"] == {"text": "still here"}


def test_W05_double_subscribe_and_a_strangers_unsubscribe_change_nothing(server: WsServer) -> None:
    with server.connect() as client, server.connect() as stranger:
        assert subscribe(client)["payload"]["message"] == "Subscribed"
        assert subscribe(client)["payload"]["message"] == "Already subscribed"
        refused = ask(stranger, {"type": "strict.unsubscribe", "payload": {"symbol": "A"}})
        assert refused["payload"]["code"] == "not_subscribed"
        server.say("strict:A", "once")
        server.say("strict:A", "twice")
        assert [receive(client)["payload"]["payload"]["text"] for _ in range(2)] == ["once", "twice"]


def test_W03_create_topic_raising_is_an_error_reply_and_the_next_try_may_work(server: WsServer) -> None:
    def fail(_: object) -> None:
        raise OSError("no feed")

    with server.connect() as client:
        server.service.on_create = fail
        assert subscribe(client)["payload"]["code"] == "internal_error"
        server.service.on_create = lambda _: None
        assert subscribe(client)["payload"]["status"] == "ok"
