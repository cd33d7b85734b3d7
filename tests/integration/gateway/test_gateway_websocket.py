"""N03: WebSockets through the gateway, by path and by query parameter, on real servers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.gateway_nginx import RunningGateway, gateway
from support.gateway_socket import connected, read_reply
from support.gateway_upstream import Upstream, ok, upstream
from support.gateway_websocket import SocketServer, opened, socket_server
from support.ports import free_block
from websockets.exceptions import ConnectionClosed, InvalidStatus

pytestmark = pytest.mark.integration


@dataclass
class Sockets:
    """A gateway with both ways of routing, and the servers behind it."""

    front: RunningGateway
    broker: SocketServer
    datafeed: SocketServer

    def url(self, path: str) -> str:
        return self.front.url + path


@pytest.fixture(scope="module")
def sockets(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sockets]:
    with ExitStack() as stack:
        broker, datafeed = stack.enter_context(socket_server()), stack.enter_context(socket_server())
        config = {
            "nginx": {"port": free_block(1)},
            "servers": {
                "broker": {"port": broker.port, "modules": ["broker"]},
                "datafeed": {"port": datafeed.port, "modules": ["datafeed"]},
            },
            "websocket": {"routing_strategy": "query_param", "query_param_name": "type"},
        }
        front = stack.enter_context(gateway(tmp_path_factory.mktemp("sockets"), config, binary))
        yield Sockets(front, broker, datafeed)


@pytest.mark.parametrize(
    ("path", "server", "target"),
    [
        ("/api/v1/broker/ws", "broker", "/api/v1/broker/ws"),
        ("/api/v2/broker/ws?token=a%20b", "broker", "/api/v2/broker/ws?token=a%20b"),
        ("/api/v1/datafeed/ws", "datafeed", "/api/v1/datafeed/ws"),
        ("/api/v1/ws?type=orders", "broker", "/api/v1/broker/ws?type=orders"),
        ("/api/v2/ws?type=orders", "broker", "/api/v2/broker/ws?type=orders"),
        ("/api/v1/ws?type=broker-connection", "broker", "/api/v1/broker/ws?type=broker-connection"),
        ("/api/v1/ws?a=%22b&type=bars&c", "datafeed", "/api/v1/datafeed/ws?a=%22b&type=bars&c"),
        ("/api/v1/ws?type=quotes&type=orders", "datafeed", "/api/v1/datafeed/ws?type=quotes&type=orders"),
    ],
)
def test_N03_a_connection_reaches_the_module_that_owns_its_path_or_route(
    sockets: Sockets, path: str, server: str, target: str
) -> None:
    with opened(sockets.url(path)) as connection:
        connection.send("hello")
        assert connection.recv(timeout=60) == "hello"
    servers = {"broker": sockets.broker, "datafeed": sockets.datafeed}
    assert servers[server].latest(target).target == target


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/ws",
        "/api/v1/ws?type=",
        "/api/v1/ws?type",
        "/api/v1/ws?type=nosuch",
        "/api/v1/ws?type=localhost",
        "/api/v1/ws?type=127.0.0.1:1",
        "/api/v1/ws?type=broker",
        "/api/v1/ws?Xtype=orders",
        "/api/v1/ws?type=orders/",
        "/api/v1/ws?type=$ws_v1_upstream",
        "/api/v2/ws?type=bars",
        "/api/v3/ws?type=orders",
    ],
)
def test_N03_an_unknown_or_missing_route_is_a_json_404_and_reaches_nobody(sockets: Sockets, path: str) -> None:
    before = len(sockets.broker.opened) + len(sockets.datafeed.opened)
    with pytest.raises(InvalidStatus) as refused, opened(sockets.url(path)):
        pass
    response = refused.value.response
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert len(sockets.broker.opened) + len(sockets.datafeed.opened) == before


@pytest.mark.parametrize(("path", "status"), [("/api/v1/brokerX/ws", 404), ("/api/v1/datafeed/wsX", 426)])
def test_N03_only_the_exact_path_takes_connections(sockets: Sockets, path: str, status: int) -> None:
    # Below a module's prefix the request goes to its server, but as plain HTTP: no upgrade passes.
    with pytest.raises(InvalidStatus) as refused, opened(sockets.url(path)):
        pass
    assert refused.value.response.status_code == status
    assert not [seen for seen in (*sockets.broker.opened, *sockets.datafeed.opened) if seen.target == path]


def test_N03_only_with_query_param_is_there_a_common_path(binary: Path, tmp_path: Path) -> None:
    with socket_server() as server:
        config = {"nginx": {"port": free_block(1)}, "servers": {"main": {"port": server.port, "modules": ["broker"]}}}
        with gateway(tmp_path, config, binary) as front:
            with opened(f"{front.url}/api/v1/broker/ws") as connection:
                connection.send("x")
                assert connection.recv(timeout=60) == "x"
            with pytest.raises(InvalidStatus) as refused, opened(f"{front.url}/api/v1/ws?type=orders"):
                pass
    assert refused.value.response.status_code == 404


def test_N03_a_subset_of_routes_and_another_parameter(binary: Path, tmp_path: Path) -> None:
    with socket_server() as server:
        config = {
            "nginx": {"port": free_block(1)},
            "servers": {"main": {"port": server.port, "modules": ["broker", "datafeed"]}},
            "websocket": {"routing_strategy": "query_param", "query_param_name": "route"},
            "websocket_routes": {"orders": "main"},
        }
        with gateway(tmp_path, config, binary) as front:
            with opened(f"{front.url}/api/v1/ws?route=orders"):
                server.latest("/api/v1/broker/ws?route=orders")
            for query in ("type=orders", "route=bars"):
                with pytest.raises(InvalidStatus), opened(f"{front.url}/api/v1/ws?{query}"):
                    pass


def test_N03_the_handshake_carries_id_host_and_client(sockets: Sockets) -> None:
    headers = {"X-Request-ID": "socket-1", "X-Forwarded-For": "192.0.2.1"}
    with opened(sockets.url("/api/v1/broker/ws?handshake"), headers=headers) as connection:
        assert connection.response is not None
        assert connection.response.headers.get_all("X-Request-ID") == ["socket-1"]
    seen = sockets.broker.latest("/api/v1/broker/ws?handshake")
    assert (seen.request_id, seen.forwarded_for) == ("socket-1", "192.0.2.1, 127.0.0.1")
    assert seen.host == f"127.0.0.1:{sockets.front.port}"
    line = sockets.front.log_line("socket-1")
    assert (line["status"], line["path"], line["upstream_status"]) == (101, "/api/v1/broker/ws", "101")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [((), None), (("trading.v1",), "trading.v1"), (("trading.v1", "trading.v2"), "trading.v2")],
)
def test_N03_subprotocols_are_negotiated_end_to_end(
    sockets: Sockets, offered: tuple[str, ...], chosen: str | None
) -> None:
    with opened(sockets.url("/api/v1/ws?type=bars"), subprotocols=offered) as connection:
        assert connection.subprotocol == chosen


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65536, 5_000_000])
def test_N03_messages_of_every_size_pass_whole(sockets: Sockets, size: int) -> None:
    with opened(sockets.url("/api/v1/datafeed/ws")) as connection:
        for message in (bytes(range(256)) * (size // 256 + 1))[:size], "ä" * (size // 2):
            connection.send(message)
            assert connection.recv(timeout=60) == message


def test_N03_many_messages_keep_their_order(sockets: Sockets) -> None:
    with opened(sockets.url("/api/v1/broker/ws")) as connection:
        for start in range(0, 2000, 50):
            batch = [f"message {number}" for number in range(start, start + 50)]
            for message in batch:
                connection.send(message)
            assert [connection.recv(timeout=60) for _ in batch] == batch


def test_N03_pings_pass(sockets: Sockets) -> None:
    with opened(sockets.url("/api/v1/broker/ws")) as connection:
        assert connection.ping(b"alive").wait(60)


def test_N03_close_codes_and_reasons_pass_both_ways(sockets: Sockets) -> None:
    with opened(sockets.url("/api/v1/broker/ws")) as connection:
        connection.send("close 4001 no more of this")
        with pytest.raises(ConnectionClosed) as ended:
            connection.recv(timeout=60)
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (4001, "no more of this")
    with opened(sockets.url("/api/v1/broker/ws?leaves")) as connection:
        connection.close(4002, "enough")
    assert sockets.broker.ended("/api/v1/broker/ws?leaves").close_code == 4002


def test_N03_a_client_that_vanishes_frees_the_servers_side(sockets: Sockets) -> None:
    with opened(sockets.url("/api/v1/broker/ws?vanishes")) as connection:
        connection.socket.shutdown(socket.SHUT_RDWR)
    assert sockets.broker.ended("/api/v1/broker/ws?vanishes").close_code in (None, 1006)


def test_N03_nothing_but_websocket_is_upgraded_to(binary: Path, tmp_path: Path) -> None:
    with upstream() as plain:
        config = {"nginx": {"port": free_block(1)}, "servers": {"main": {"port": plain.port, "modules": ["broker"]}}}
        with gateway(tmp_path, config, binary) as front:
            for word in (b"h2c", b"websocket, h2c", b"TLS/1.0"):
                head = b"GET /api/v1/broker/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % word
                assert front.raw(head).status == 200
                assert (plain.last().all("upgrade"), plain.last().all("connection")) == ([], [])
            assert front.raw(_handshake(b"WebSocket")).status == 200
            assert (plain.last().header("upgrade"), plain.last().header("connection")) == ("websocket", "upgrade")


def _handshake(word: bytes) -> bytes:
    return b"GET /api/v1/broker/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % word


def _refuses(server: Upstream) -> None:
    server.handler = lambda _: ok(b'{"status":403}', status="403 Forbidden", content_type="application/problem+json")


def test_N03_a_refusal_of_the_servers_own_reaches_the_client(binary: Path, tmp_path: Path) -> None:
    with upstream() as plain:
        _refuses(plain)
        config = {"nginx": {"port": free_block(1)}, "servers": {"main": {"port": plain.port, "modules": ["broker"]}}}
        with gateway(tmp_path, config, binary) as front, connected(front.port) as connection:
            connection.sendall(_handshake(b"websocket"))
            reply = read_reply(connection)
    assert (reply.status, reply.json()) == (403, {"status": 403})


def test_N03_a_server_that_is_not_there_is_a_json_502(binary: Path, tmp_path: Path) -> None:
    config = {"nginx": {"port": free_block(1)}, "servers": {"main": {"port": free_block(1), "modules": ["broker"]}}}
    with gateway(tmp_path, config, binary) as front:
        with pytest.raises(InvalidStatus) as refused, opened(f"{front.url}/api/v1/broker/ws"):
            pass
        response = refused.value.response
        assert (response.status_code, response.headers["Content-Type"]) == (502, "application/problem+json")
