"""Users at a real server: what clients of other libraries see of refusals, and of a token's end (D03)."""

import json
import logging
import time
from collections.abc import Iterator, Mapping

import httpx
import pytest
from support.user_server import user_server
from support.user_tokens import HS256, bearer, token
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from trading_api.settings import Settings

pytestmark = pytest.mark.integration

PAGE = "https://app.example.com"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with user_server(Settings(users=HS256, allowed_origins=(PAGE,))) as found:
        yield found


def joined(address: str, headers: Mapping[str, str], origin: str | None = None) -> ClientConnection:
    url = f"ws://{address}/api/v1/owned/ws"
    return connect(url, proxy=None, additional_headers=headers, origin=Origin(origin) if origin else None)


def refusal(address: str, headers: Mapping[str, str], origin: str | None = None) -> tuple[int, dict[str, object]]:
    """The status and problem with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as caught:
        joined(address, headers, origin)
    response = caught.value.response
    assert response.headers["content-type"] == "application/problem+json"
    body = json.loads(response.body or b"")
    assert body["request_id"] == response.headers["x-request-id"]
    return response.status_code, body


def update(connection: ClientConnection) -> object:
    """Subscribe, and the first update."""
    connection.send(json.dumps({"type": "secrets.subscribe", "payload": {"word": "hello"}}))
    frames = [json.loads(connection.recv(60)) for _ in range(2)]
    return frames[1]["payload"]["payload"]


def test_D03_a_handshake_is_refused_with_a_body_that_says_why(address: str) -> None:
    status, problem = refusal(address, {})
    assert (status, problem["status"], problem["title"]) == (401, 401, "Unauthorized")
    assert str(problem["detail"]).startswith("No token")
    assert "expired at" in str(refusal(address, bearer(seconds=-1))[1]["detail"])
    cookie = {"Cookie": f"access_token={token()}"}
    for origin in ("https://evil.example", "http://localhost:5173", "null"):
        assert refusal(address, cookie, origin)[0] == 403


def test_D03_a_refused_handshake_is_no_error_of_the_server(address: str, caplog: pytest.LogCaptureFixture) -> None:
    cookie = {"Cookie": f"access_token={token()}"}
    assert refusal(address, {})[0] == 401
    assert refusal(address, cookie, "https://evil.example")[0] == 403
    # Its answer ends before its task does; the next one is served after both.
    with joined(address, bearer("alice")) as alice:
        assert update(alice) == {"to": "alice"}
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_D03_every_client_gets_its_own_users_updates(address: str) -> None:
    cookie = {"Cookie": f"access_token={token('bob')}"}
    with joined(address, bearer("alice")) as alice, joined(address, cookie, PAGE) as bob:
        assert (update(alice), update(bob)) == ({"to": "alice"}, {"to": "bob"})
    with joined(address, cookie, f"http://{address}") as same_host:
        assert update(same_host) == {"to": "bob"}


def test_D03_a_connection_is_closed_when_its_token_expires(address: str) -> None:
    began = time.time()
    with joined(address, bearer("alice", seconds=0.7)) as alice:
        assert update(alice) == {"to": "alice"}
        with pytest.raises(ConnectionClosedError) as caught:
            alice.recv(60)
    closed = caught.value.rcvd
    assert closed is not None
    assert (closed.code, closed.reason) == (1008, "the token expired")
    assert time.time() - began >= 0.5


def test_D03_a_page_that_is_allowed_uses_rest_with_its_users_cookie(address: str) -> None:
    cookie = {"Cookie": f"access_token={token('bob')}"}
    with httpx.Client(base_url=f"http://{address}/api/v1/owned", trust_env=False) as client:
        page = client.delete("/me", headers={**cookie, "Origin": PAGE})
        assert (page.status_code, page.json()) == (200, {"to": "bob"})
        assert page.headers["access-control-allow-origin"] == PAGE
        assert client.delete("/me", headers={**cookie, "Origin": "https://evil.example"}).status_code == 403
        # A browser asks beforehand, and shows no proof with that.
        ask = {"Origin": PAGE, "Access-Control-Request-Method": "DELETE"}
        assert client.options("/me", headers=ask).headers["access-control-allow-credentials"] == "true"
        refused = client.get("/me", headers={"Origin": PAGE})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PAGE)
