"""Requests that a gateway and a server could read differently: none may become two at the server."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from support.gateway_nginx import RunningGateway
from support.gateway_socket import connected, read_all, read_reply
from support.gateway_upstream import Arrival, Upstream

pytestmark = pytest.mark.integration

PREFIX = b"POST /api/v1/broker/orders HTTP/1.1\r\nHost: a\r\n"
HIDDEN = b"GET /api/v1/broker/hidden HTTP/1.1\r\nHost: a\r\n\r\n"
REFUSED = {
    "length and chunked": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 50\r\n\r\n",
    "the same length twice": b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": b"Content-Length: 2, 2\r\n\r\nab",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a signed length": b"Content-Length: +2\r\n\r\nab",
    "a hexadecimal length": b"Content-Length: 0x2\r\n\r\nab",
    "an endless length": b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a space before the colon": b"Content-Length : 2\r\n\r\nab",
    "a folded header": b"X: a\r\n Content-Length: 2\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked by another name": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity and chunked": b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "a null in a header": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a bad chunk size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "a huge chunk size": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab\r\n0\r\n\r\n",
    "two hosts": b"Host: b\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_N08_an_ambiguous_request_is_refused_and_reaches_nobody(
    front: RunningGateway, behind: Upstream, name: str
) -> None:
    with connected(front.port) as connection:
        connection.sendall(PREFIX + REFUSED[name] + HIDDEN)
        answers = read_all(connection)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 501"))
    assert behind.arrivals == []


def test_N08_bare_line_feeds_are_made_whole_before_the_server_sees_them(
    front: RunningGateway, behind: Upstream
) -> None:
    with connected(front.port) as connection:
        connection.sendall(b"GET /api/v1/broker/a HTTP/1.1\nHost: a\nX: b\nConnection: close\n\n")
        assert read_all(connection).startswith(b"HTTP/1.1 200")
    (arrival,) = behind.arrivals
    assert (arrival.target, arrival.header("x"), arrival.header("host")) == ("/api/v1/broker/a", "b", "a")


def test_N08_chunks_reach_the_server_with_a_length(front: RunningGateway, behind: Upstream) -> None:
    with connected(front.port) as connection:
        connection.sendall(
            PREFIX + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nTrailer: x\r\n\r\n"
        )
        assert read_reply(connection).status == 200
    (arrival,) = behind.arrivals
    assert (arrival.body, arrival.all("transfer-encoding"), arrival.header("content-length")) == (b"abcde", [], "5")


def test_N08_a_request_inside_a_body_stays_a_body(front: RunningGateway, behind: Upstream) -> None:
    with connected(front.port) as connection:
        connection.sendall(PREFIX + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN)
        assert read_reply(connection).status == 200
    assert [arrival.body for arrival in behind.arrivals] == [HIDDEN]


def test_N08_requests_in_a_row_are_answered_in_order_and_one_by_one(front: RunningGateway, behind: Upstream) -> None:
    with connected(front.port) as connection:
        connection.sendall(b"".join(b"GET /api/v1/core/%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(9)))
        connection.sendall(b"GET /api/v1/core/9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_all(connection).count(b"HTTP/1.1 200 OK") == 10
    assert [arrival.target for arrival in behind.arrivals] == [f"/api/v1/core/{n}" for n in range(10)]


def test_N08_encoded_line_breaks_cannot_add_headers(front: RunningGateway, behind: Upstream) -> None:
    target = b"/api/v1/core/x%0d%0aX-Injected:%20yes?a=%0d%0aX-Other:%20yes"
    reply = front.raw(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert reply.status == 200
    assert behind.last().target == target.decode()
    assert behind.last().all("x-injected") == behind.last().all("x-other") == []


@pytest.mark.parametrize(
    "path", ["/api/v1/broker/%2e%2e/core/x", "//api/v1/broker//x", "/api/v1/broker%2fx", "/./api/v1/broker/x"]
)
def test_N08_odd_spellings_of_a_path_reach_one_server_unchanged_or_none(
    front: RunningGateway, behind: Upstream, path: str
) -> None:
    reply = front.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert reply.status in (200, 404)
    assert [arrival.target for arrival in behind.arrivals] == ([path] if reply.status == 200 else [])


def test_N08_slow_clients_do_not_keep_others_waiting(front: RunningGateway, behind: Upstream) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            slow = stack.enter_context(connected(front.port))
            slow.sendall(b"GET /api/v1/core/x HTTP/1.1\r\nHo")
        assert front.request("GET", "/api/v1/core/health", timeout=60).status_code == 200
    assert len(behind.arrivals) == 1


def test_N08_a_slow_server_does_not_keep_others_waiting(front: RunningGateway, behind: Upstream) -> None:
    free = threading.Event()

    def slow_for_some(arrival: Arrival) -> Iterator[bytes]:
        if "slow" in arrival.target:
            free.wait(20)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    with behind.answering(slow_for_some), connected(front.port) as waiting:
        waiting.sendall(b"GET /api/v1/core/slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert front.request("GET", "/api/v1/core/quick", timeout=60).status_code == 200
        free.set()
        assert read_reply(waiting).status == 200
