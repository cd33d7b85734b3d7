"""N08: what the gateway refuses or cannot get is a JSON problem with the request's id, and valid JSON for any path."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gateway_nginx import RunningGateway, gateway, standard
from support.gateway_socket import Reply, connected, read_all, read_reply
from support.gateway_upstream import Arrival, Upstream, breaks_off, upstream
from support.ports import free_block
from support.waiting import wait_until

pytestmark = pytest.mark.integration

LINES = {
    "400 no HTTP": (b"hello", 400, ""),
    "400 TLS": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400, ""),
    "400 lower case": (b"get /api/v1/core/x HTTP/1.1", 400, ""),
    "400 bad escape": (b"GET /%zz HTTP/1.1", 400, "/%zz"),
    "400 above the root": (b"GET /../etc/passwd HTTP/1.1", 400, "/../etc/passwd"),
    "400 host": (b"GET /x HTTP/1.1\r\nHost: b/c", 400, "/x"),
    "404": (b"GET /nowhere HTTP/1.1\r\nHost: a", 404, "/nowhere"),
    "404 HTML": (b"GET /nowhere/x.html HTTP/1.1\r\nHost: a", 404, "/nowhere/x.html"),
    "404 image": (b"GET /nowhere/x.gif HTTP/1.1\r\nHost: a", 404, "/nowhere/x.gif"),
    "405": (b"TRACE /api/v1/core/x HTTP/1.1\r\nHost: a", 405, "/api/v1/core/x"),
    "413 told": (b"POST /api/v1/core/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577", 413, "/api/v1/core/x"),
    "413 huge": (
        b"POST /api/v1/core/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000000000000",
        413,
        "/api/v1/core/x",
    ),
    "414": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a", 414, ""),
    "431 one": (b"GET /api/v1/core/x HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000, 431, "/api/v1/core/x"),
    "431 many": (
        b"GET /x HTTP/1.1\r\nHost: a" + b"".join(b"\r\nX-%d: %b" % (n, b"a" * 900) for n in range(60)),
        431,
        "/x",
    ),
    "501": (b"POST /api/v1/core/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip", 501, "/api/v1/core/x"),
    "505": (b"GET /x HTTP/2.0\r\nHost: a", 505, "/x"),
}
TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    502: "Bad Gateway",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}


def assert_problem(reply: Reply, status: int, instance: str) -> None:
    """The whole shape of RFC 9457, as the servers behind send it too."""
    assert reply.status == status
    assert reply.header("content-type") == "application/problem+json"
    document = reply.json()
    detail = document.pop("detail")
    assert isinstance(detail, str)
    assert detail.endswith(".")
    request_id = reply.header("x-request-id")
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", request_id)
    assert document == {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "instance": instance,
        "request_id": request_id,
    }


@pytest.mark.parametrize("name", LINES)
def test_N08_each_refusal_is_a_problem_with_its_status(front: RunningGateway, behind: Upstream, name: str) -> None:
    head, status, instance = LINES[name]
    reply = front.raw(head + b"\r\n\r\n")
    assert_problem(reply, status, instance)
    assert front.log_line(reply.header("x-request-id"))["status"] == status
    assert behind.arrivals == []


def test_N08_connect_is_refused_before_or_after_its_target_is_read(front: RunningGateway) -> None:
    reply = front.raw(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n")
    # nginx 1.22 cannot read the target, later ones can.
    assert_problem(reply, 405 if reply.status == 405 else 400, "")


def test_N08_a_clients_id_is_in_body_and_header(front: RunningGateway) -> None:
    reply = front.get("/nowhere", x_request_id="client.id-1")
    assert reply.json()["request_id"] == reply.headers["x-request-id"] == "client.id-1"


def test_N08_head_gets_the_headers_alone(front: RunningGateway) -> None:
    with connected(front.port) as connection:
        connection.sendall(b"HEAD /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert b"application/problem+json" in head
    assert body == b""


def test_N08_a_chunked_body_over_the_limit_is_413(front: RunningGateway, behind: Upstream) -> None:
    with connected(front.port) as connection:
        connection.sendall(b"POST /api/v1/core/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        connection.sendall(chunk * 17 + b"0\r\n\r\n")
        assert_problem(read_reply(connection), 413, "/api/v1/core/x")
    assert behind.arrivals == []


def test_N08_the_limit_is_the_configurations_to_the_byte(binary: Path, tmp_path: Path) -> None:
    with upstream() as server, gateway(tmp_path, standard(server.port, limits={"body": 2048}), binary) as front:
        assert front.request("POST", "/api/v1/core/x", content=b"x" * 2048).status_code == 200
        assert front.request("POST", "/api/v1/core/x", content=b"x" * 2049).status_code == 413
        assert [len(arrival.body) for arrival in server.arrivals] == [2048]


def test_N08_a_client_that_sends_all_before_it_reads_still_learns_of_413(front: RunningGateway) -> None:
    assert front.request("POST", "/api/v1/core/x", content=b"x" * 4_000_000).status_code == 413


def test_N08_a_server_that_is_not_there_is_502(binary: Path, tmp_path: Path) -> None:
    with gateway(tmp_path, standard(free_block(1)), binary) as front:
        reply = front.raw(b"GET /api/v1/broker/health?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert_problem(reply, 502, "/api/v1/broker/health")


@pytest.mark.parametrize(
    "begun",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20000],
    ids=["nothing", "half a head", "too large a head"],
)
def test_N08_a_server_that_breaks_off_is_502(front: RunningGateway, behind: Upstream, begun: bytes) -> None:
    with behind.answering(breaks_off(begun)):
        reply = front.raw(b"GET /api/v1/broker/x HTTP/1.1\r\nHost: a\r\n\r\n")
    assert_problem(reply, 502, "/api/v1/broker/x")


def test_N08_a_server_that_does_not_answer_in_time_is_504(binary: Path, tmp_path: Path) -> None:
    free = threading.Event()

    def hangs(_: Arrival) -> None:
        free.wait(20)

    changes = {"proxy_read_timeout 60s": "proxy_read_timeout 200ms"}
    with upstream(hangs) as server, gateway(tmp_path, standard(server.port), binary, changes=changes) as front:
        try:
            reply = front.raw(b"GET /api/v1/broker/slow HTTP/1.1\r\nHost: a\r\n\r\n")
        finally:
            free.set()
        assert_problem(reply, 504, "/api/v1/broker/slow")


@contextmanager
def impatient(binary: Path, folder: Path, behind: Upstream) -> Iterator[RunningGateway]:
    changes = {
        "client_header_timeout 15s": "client_header_timeout 200ms",
        "client_body_timeout 30s": "client_body_timeout 200ms",
    }
    with gateway(folder, standard(behind.port), binary, changes=changes) as front:
        yield front


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /x HT",
        b"GET /x HTTP/1.1\r\nHost: a\r\n",
        b"POST /api/v1/core/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
    ],
    ids=["line", "head", "body"],
)
def test_N08_a_client_that_does_not_finish_is_dropped_and_logged_as_408(
    begun: bytes, binary: Path, behind: Upstream, tmp_path: Path
) -> None:
    with impatient(binary, tmp_path, behind) as front:
        # nginx closes such a connection without a word.
        assert front.raw(begun).status == 0
        assert wait_until(lambda: [line["status"] for line in front.log_lines()], what="the log's line")[0] == 408
        assert front.get("/api/v1/core/health").status_code == 200
    assert [arrival.target for arrival in behind.arrivals] == ["/api/v1/core/health"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.binary(max_size=60).filter(lambda raw: not set(raw) & set(b" \r\n\0#")))
def test_N08_the_problem_is_json_whatever_the_path(front: RunningGateway, path: bytes) -> None:
    reply = front.raw(b"GET /nowhere/" + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert reply.status in (400, 404)
    document = json.loads(reply.body.decode("utf-8"))
    assert (document["status"], document["request_id"]) == (reply.status, reply.header("x-request-id"))
    asked = (b"/nowhere/" + path).partition(b"?")[0].decode("latin-1")
    assert document["instance"] in ("", asked)
    if quote(asked, safe="/._~%!$&'()*+,;=:@-") == asked:
        assert document["instance"] == asked
