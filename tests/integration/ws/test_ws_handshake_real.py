"""Connections that never become one, on a real server (W05)."""

import select
import socket

import pytest
from support.waiting import wait_until
from support.ws_server import WsServer, ws_server

from trading_api.server import http_protocol

pytestmark = pytest.mark.integration

HANDSHAKE = b"GET /api/v1/tested/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
HEALTH = b"GET /api/v1/tested/health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.3)


def is_closed(client: socket.socket) -> bool:
    client.settimeout(60)
    try:
        while client.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def connected(server: WsServer, first: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.port))
    client.sendall(first)
    return client


@pytest.mark.parametrize("sent", [b"", b"G", HANDSHAKE, HEALTH + HANDSHAKE])
def test_W05_a_handshake_that_is_not_finished_in_time_ends_the_connection(sent: bytes) -> None:
    with ws_server() as server, connected(server, sent) as client:
        assert is_closed(client)
        wait_until(lambda: not server.server.server_state.connections, what="the end of the connection")


def test_W05_a_handshake_that_trickles_is_not_given_more_time() -> None:
    with ws_server() as server, connected(server, HANDSHAKE) as client:
        sent, most = 0, 500
        while sent < most and not select.select([client], [], [], 0.02)[0]:
            client.sendall(b"X-A: b\r\n")
            sent += 1
        assert 1 < sent < most
        assert is_closed(client)


def test_W05_connections_that_have_sent_their_head_are_kept() -> None:
    with ws_server() as server, server.connect() as stream, connected(server, HEALTH) as client:
        # A later one has run out of its time: so would these have.
        with connected(server) as late:
            assert is_closed(late)
        client.sendall(HEALTH)
        client.settimeout(60)
        wait_until(lambda: client.recv(4096).endswith(b"}"), what="the answer")
        stream.send("rubbish")
        assert "invalid_json" in str(stream.recv(timeout=60))
