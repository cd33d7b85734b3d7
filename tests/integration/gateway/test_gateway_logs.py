"""N05: the access log is JSON, line by line, whatever a client sends, and neither log holds a query string."""

import re
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gateway_nginx import RunningGateway
from support.gateway_socket import connected, read_reply
from support.gateway_upstream import Arrival, Upstream, breaks_off, ok
from support.waiting import wait_until

pytestmark = pytest.mark.integration

NUMBERS = {"msec", "status", "bytes", "request_time"}
TEXTS = {
    "time",
    "request_id",
    "remote_addr",
    "method",
    "path",
    "protocol",
    "upstream",
    "upstream_addr",
    "upstream_status",
    "upstream_connect_time",
    "upstream_header_time",
    "upstream_response_time",
    "user_agent",
}
SECONDS = re.compile(r"\d+\.\d{3}")


def sent(front: RunningGateway, request: bytes) -> dict[str, object]:
    """The log line of a request made of these bytes."""
    return front.log_line(front.raw(request).header("x-request-id"))


def test_N05_a_line_holds_every_field_with_its_type(front: RunningGateway, behind: Upstream) -> None:
    before = datetime.now(UTC)
    request_id = front.get("/api/v1/broker/health", user_agent="Test/1.0 (x)").headers["x-request-id"]
    line = front.log_line(request_id)
    assert set(line) == NUMBERS | TEXTS
    assert all(isinstance(line[name], int | float) for name in NUMBERS)
    assert all(isinstance(line[name], str) for name in TEXTS)
    assert (line["method"], line["path"], line["protocol"]) == ("GET", "/api/v1/broker/health", "HTTP/1.1")
    assert (line["status"], line["bytes"], line["remote_addr"]) == (200, 2, "127.0.0.1")
    assert (line["upstream"], line["upstream_addr"]) == ("main", f"127.0.0.1:{behind.port}")
    assert (line["upstream_status"], line["user_agent"]) == ("200", "Test/1.0 (x)")
    for name in ("upstream_connect_time", "upstream_header_time", "upstream_response_time"):
        assert SECONDS.fullmatch(str(line[name]))
    assert abs((datetime.fromisoformat(str(line["time"])) - before).total_seconds()) < 5
    assert request_id == behind.last().header("x-request-id")


def test_N05_what_the_gateway_answers_itself_is_logged_without_an_upstream(front: RunningGateway) -> None:
    line = sent(front, b"DELETE /nowhere?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (line["method"], line["path"], line["status"]) == ("DELETE", "/nowhere", 404)
    assert (line["upstream"], line["upstream_addr"], line["upstream_status"]) == ("", "", "")


@pytest.mark.parametrize(
    ("request_line", "method", "path", "status"),
    [
        (b"POST /api/v1/broker/orders HTTP/1.1\r\nContent-Length: 9999999", "POST", "/api/v1/broker/orders", 413),
        (b"GET /%zz/x?secret HTTP/1.1", "GET", "/%zz/x", 400),
        (b"GET http://host:1/api/v1/core/a%20b?q HTTP/1.1", "GET", "/api/v1/core/a%20b", 200),
        (b"GET http://user:secret@host/x HTTP/1.1", "GET", "/x", 400),
        (b"\x16\x03\x01\x02\x00\x01 \xff", "", "", 400),
        (b'G"T /\\ HTTP/1.1', "", "", 400),
        (b'GET /a"b\\c HTTP/1.1', "GET", '/a"b\\c', 404),
        (b"GET /a\xff\xfe/b HTTP/1.1", "GET", "/a", 404),
        (b"GET /" + "ä".encode() + b" HTTP/1.1", "GET", "/", 404),
        (b"GET /a%0a%00b HTTP/1.1", "GET", "/a%0a%00b", 400),
        (b"GET /" + b"p" * 5000 + b" HTTP/1.1", "GET", "/" + "p" * 2048, 404),
        (b"GET /" + b"p" * 50000 + b" HTTP/1.1", "GET", "/" + "p" * 2048, 414),
        (b"GET / HTTP/9.9", "GET", "/", 505),
    ],
    ids=lambda value: value[:20].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_N05_any_request_line_gives_a_line_of_json(
    front: RunningGateway, request_line: bytes, method: str, path: str, status: int
) -> None:
    line = sent(front, request_line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (line["method"], line["path"], line["status"]) == (method, path, status)


@pytest.mark.parametrize(
    ("agent", "logged"),
    [
        (b'quote " backslash \\ slash / {"a":1}', 'quote " backslash \\ slash / {"a":1}'),
        (b"begins \xff\xfe ends", "begins "),
        (b"\xc3\x28", ""),
        ("Börse".encode(), "B"),
        (b"tab\there", "tab"),
        (b"del\x7fhere", "del"),
        (b"u" * 7000, "u" * 512),
        (b"$request_id ${args} %s", "$request_id ${args} %s"),
    ],
)
def test_N05_any_user_agent_gives_a_line_of_json(front: RunningGateway, agent: bytes, logged: str) -> None:
    line = sent(front, b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: " + agent + b"\r\n\r\n")
    assert line["user_agent"] == logged


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=200))
def test_N05_random_bytes_never_break_the_log(front: RunningGateway, data: bytes) -> None:
    with connected(front.port) as connection:
        connection.sendall(data + b"\r\n\r\n")
        connection.shutdown(1)
        read_reply(connection)
    assert front.log_lines() is not None


def test_N05_query_strings_are_in_neither_log_also_where_the_server_fails(
    front: RunningGateway, behind: Upstream
) -> None:
    targets = ["/api/v1/core/x", "/nowhere", "/%zz", "http://a/api/v1/core/y", "/api/v1/broker/../.."]
    with behind.answering(breaks_off()):
        for target in targets:
            line = sent(front, f"GET {target}?token=SECRET HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            assert str(line["path"]) in target
    with behind.answering(breaks_off(b"HTTP/1.1 200 OK\r\nSECRET")):
        referer = "http://a/?token=SECRET"
        assert front.get("/api/v1/core/x?token=SECRET", referer=referer, authorization="SECRET").status_code == 502
    assert b"SECRET" not in front.access_bytes()
    assert "SECRET" not in front.error_log()


def test_N05_the_cause_of_a_502_can_be_read_from_the_line(front: RunningGateway, behind: Upstream) -> None:
    with behind.answering(breaks_off(b"HTTP/1.1 200 OK\r\nhalf")):
        request_id = front.get("/api/v1/core/x").headers["x-request-id"]
    line = front.log_line(request_id)
    assert (line["status"], line["upstream_status"]) == (502, "502")
    assert line["upstream_addr"] == f"127.0.0.1:{behind.port}"
    # Connected, but no header came.
    assert SECONDS.fullmatch(str(line["upstream_connect_time"]))
    assert line["upstream_header_time"] == "-"


def test_N05_timings_tell_where_the_time_went(front: RunningGateway, behind: Upstream) -> None:
    pause = threading.Event()

    def slow(_: Arrival) -> bytes:
        pause.wait(0.2)
        return ok()

    with behind.answering(slow):
        line = front.log_line(front.get("/api/v1/core/slow").headers["x-request-id"])
    for name in ("request_time", "upstream_response_time", "upstream_header_time"):
        assert 0.15 <= float(str(line[name])) < 5
    assert float(str(line["upstream_connect_time"])) < 0.1


def test_N05_both_logs_are_for_their_owner_only_and_start_with_the_gateway(front: RunningGateway) -> None:
    logs = front.made.layout.logs
    wait_until(lambda: (logs / "nginx-access.log").exists() and (logs / "nginx-error.log").exists(), what="both logs")
    assert logs.stat().st_mode & 0o077 == 0
