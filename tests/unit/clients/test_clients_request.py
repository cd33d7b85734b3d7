"""The runtime of generated clients: requests as values (G04)."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.codegen.client_runtime import IntEnum, StrEnum
from trading_api.codegen.client_runtime.address import address
from trading_api.codegen.client_runtime.request import (
    File,
    Request,
    form_body,
    headers,
    joined,
    json_body,
    multipart_body,
    target,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS.filter(lambda text: text not in ("", ".", "..")), TEXTS)
def test_G04_any_text_in_path_and_query_arrives_as_it_was(segment: str, value: str) -> None:
    made = httpx.URL("http://host" + target("/a/{x}/b", {"x": segment}, [("q?&=", value)]))
    path, _, query = made.raw_path.decode().partition("?")
    before, text, after = path.split("/")[1:]
    assert (before, unquote(text), after) == ("a", segment, "b")
    assert parse_qsl(query, keep_blank_values=True) == [("q?&=", value)]


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_G04_a_value_that_would_change_the_path_is_refused(segment: str) -> None:
    with pytest.raises(ValueError, match=r"order_id: .* cannot stand in a path"):
        target("/orders/{order_id}", {"order_id": segment})


class Colour(StrEnum):
    RED = "red"


class Side(IntEnum):
    SELL = -1


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (True, ["true"]),
        (None, []),
        (["a", "b"], ["a", "b"]),
        ([], []),
        (Colour.RED, ["red"]),
        (Side.SELL, ["-1"]),
        (Decimal("1E-7"), ["0.0000001"]),
        (Decimal("1E+2"), ["100"]),
        (1.5, ["1.5"]),
        (date(2024, 2, 29), ["2024-02-29"]),
        (datetime(2024, 1, 1, tzinfo=UTC), ["2024-01-01T00:00:00Z"]),
        (joined([1, 2]), ["1,2"]),
        (joined(None), []),
    ],
)
def test_G04_values_in_a_query(value: object, sent: list[str]) -> None:
    assert [text for _, text in parse_qsl(urlsplit(target("/x", {}, [("q", value)])).query)] == sent


def test_G04_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        target("/x", {}, [("since", datetime(2024, 1, 1))])  # noqa: DTZ001


def test_G04_headers_leave_out_none_and_refuse_line_breaks() -> None:
    assert headers([("Idempotency-Key", "k"), ("X-None", None), ("X-List", ["a", 1])]) == {
        "idempotency-key": "k",
        "x-list": "a,1",
    }
    with pytest.raises(ValueError, match="cannot stand in a header"):
        headers([("X-Bad", "a\r\nSet-Cookie: b")])


def test_G04_forms_and_json_bodies() -> None:
    form = form_body([("user", "a&b"), ("pass", None), ("list", [1, 2])])
    assert (form.content, form.content_type) == (b"user=a%26b&list=1&list=2", "application/x-www-form-urlencoded")
    assert json_body({"qty": Decimal("0.10")}).content == b'{"qty":0.10}'


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"customFields": {"a": "\U0001f600 ok", "note": ["x", "\ud800"]}}, "body.customFields.note.1"),
        ({"customFields": {"a": {"\udfff": 1}}}, "body.customFields.a"),
        ("\ud800", "body"),
    ],
)
def test_G04_a_text_that_no_utf8_holds_is_refused_by_its_place(body: object, place: str) -> None:
    with pytest.raises(ValueError, match="half of a surrogate pair") as refused:
        json_body(body)
    assert str(refused.value).partition(":")[0] == place
    assert "\ud800" not in str(refused.value), "which could not be printed"


def test_G04_multipart_is_what_a_server_reads() -> None:
    body = multipart_body(
        [("file", File(b"\r\n--x", 'a"\r\n.csv', "text/csv")), ("more", [b"1", b"2"]), ("n", 3), ("o", None)]
    )
    boundary = body.content_type.partition("boundary=")[2]
    parts = body.content.split(b"--" + boundary.encode())
    assert (parts[0], parts[-1], len(parts)) == (b"", b"--\r\n", 6)
    assert parts[1] == (
        b'\r\nContent-Disposition: form-data; name="file"; filename="a%22%0D%0A.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n\r\n--x\r\n"
    )
    assert parts[4] == b'\r\nContent-Disposition: form-data; name="n"\r\n\r\n3\r\n'


def test_G04_two_forms_never_share_a_boundary() -> None:
    kinds = {multipart_body([("a", "b")]).content_type for _ in range(20)}
    assert len(kinds) == 20
    assert all(re.fullmatch(r"multipart/form-data; boundary=[0-9a-f]{32}", kind) for kind in kinds)


@pytest.mark.parametrize(
    ("base_url", "api_base", "url", "socket"),
    [
        ("http://127.0.0.1:8000", "/api", "http://127.0.0.1:8000/api/v1/x/a", "ws://127.0.0.1:8000/api/v1/x/a"),
        ("https://host/proxy/", "api/", "https://host/proxy/api/v1/x/a", "wss://host/proxy/api/v1/x/a"),
        ("http://[::1]:80", "", "http://[::1]:80/v1/x/a", "ws://[::1]:80/v1/x/a"),
    ],
)
def test_G04_the_address_is_server_api_base_and_prefix(base_url: str, api_base: str, url: str, socket: str) -> None:
    made = address(base_url, api_base, "/v1/x")
    assert (made.of("/a"), made.socket("/a")) == (url, socket)


@pytest.mark.parametrize("base_url", ["", "127.0.0.1:8000", "ftp://host", "http://host?x=1", "http://"])
def test_G04_what_is_no_url_of_a_server_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match=r"URL of a server|query"):
        address(base_url, "/api", "/v1/x")


@pytest.mark.parametrize(
    ("base_url", "api_base", "part", "server"),
    [
        ("http://h:8000/api/v1", "/api", "/api/v1", "http://h:8000"),
        ("http://h:8000/api/v1/x/", "api", "/api/v1/x", "http://h:8000"),
        ("http://h/api", "/api", "/api", "http://h"),
        ("https://h/proxy/api/v1", "/api", "/api/v1", "https://h/proxy"),
        ("http://h/v1", "", "/v1", "http://h"),
    ],
)
def test_G04_a_url_that_holds_the_path_of_the_api_is_refused(
    base_url: str, api_base: str, part: str, server: str
) -> None:
    said = f"'{base_url}' ends with {part}, which the client adds itself; write '{server}'"
    with pytest.raises(ValueError, match=re.escape(said)):
        address(base_url, api_base, "/v1/x")


@pytest.mark.parametrize("base_url", ["http://h/apis", "http://h/v1", "http://h/x", "http://h/my-api/", "http://api"])
def test_G04_other_paths_before_the_api_are_kept(base_url: str) -> None:
    assert address(base_url, "/api", "/v1/x").url == base_url.rstrip("/") + "/api/v1/x"


def test_G04_a_deployment_may_have_its_api_base_twice() -> None:
    assert address("http://h", "/api/api", "/v1/x").url == "http://h/api/api/v1/x"


def test_G04_a_key_is_made_only_where_the_operation_takes_one_and_the_caller_gave_none() -> None:
    plain = Request("a", "POST", "/a")
    assert plain.with_key("made") is plain
    assert not plain.repeatable
    keyed = Request("a", "POST", "/a", keyed=True).with_key("made")
    assert keyed.headers == {"idempotency-key": "made"}
    assert keyed.repeatable
    assert keyed.with_key("other") is keyed


@pytest.mark.parametrize(
    ("method", "repeatable"),
    [
        ("GET", True),
        ("HEAD", True),
        ("OPTIONS", True),
        ("PUT", False),
        ("DELETE", False),
        ("POST", False),
        ("PATCH", False),
    ],
)
def test_G04_only_safe_methods_are_repeated_without_a_key(method: str, repeatable: bool) -> None:
    assert Request("a", method, "/a").repeatable is repeatable
