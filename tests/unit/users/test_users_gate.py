"""The gate of a module that needs a user: REST and WebSocket, with and without tokens (D03)."""

import json
from typing import Any

import pytest
from support.backend_calls import Json, call, run_app
from support.user_module import OpenModule, owned_app
from support.user_tokens import HS256, bearer, token

from trading_api.settings import Settings
from trading_api.shared.errors import ModuleError
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.users import DEFAULT_USER, User, user_of
from trading_api.shared.users.verifier import Verifier
from trading_api.user_settings import UserSettings

LOCKED = Settings(users=HS256)
OPEN = Settings()
SUBSCRIBE = {"type": "secrets.subscribe", "payload": {"word": "hello"}}


def handshake(settings: Settings, *headers: tuple[str, str], extension: bool = True, path: str = "/ws") -> list[Any]:
    """What a client is sent that subscribes at once and leaves: how it is taken or refused, and the frames."""
    sent: list[Any] = []
    events: list[Json] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps(SUBSCRIBE)},
    ]

    async def receive() -> Json:
        return events.pop(0) if events else {"type": "websocket.disconnect", "code": 1000}

    async def send(event: Any) -> None:
        sent.append(event)

    scope: Json = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"test"), *((name.encode(), value.encode()) for name, value in headers)],
        "extensions": {"websocket.http.response": {}} if extension else {},
    }
    run_app(owned_app(settings), scope, receive, send)
    return sent


def told_to(sent: list[Any]) -> str:
    """To whom the first update was said."""
    texts = [json.loads(event["text"]) for event in sent if event["type"] == "websocket.send"]
    update = next(text for text in texts if text["type"] == "secrets.update")
    return str(update["payload"]["payload"]["to"])


def test_D03_without_users_everybody_is_the_default_user() -> None:
    app = owned_app(OPEN)
    assert call(app, "/me").json() == {"to": "default"}
    assert call(app, "/me", headers=bearer("bob")).json() == {"to": "default"}, "a token is nobody's business here"
    assert told_to(handshake(OPEN)) == "default"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_D03_a_bearer_header_or_the_cookie_says_who_asks(scheme: str) -> None:
    app = owned_app(LOCKED)
    alice = token("alice")
    assert call(app, "/me", headers={"Authorization": f"{scheme} {alice}"}).json() == {"to": "alice"}
    assert call(app, "/me", headers={"Cookie": f"a=b; access_token={alice}; c"}).json() == {"to": "alice"}
    assert call(app, "/me", headers={"Cookie": f'access_token="{alice}"'}).json() == {"to": "alice"}
    both = {"Authorization": f"{scheme} {alice}", "Cookie": f"access_token={alice}"}
    assert call(app, "/me", headers=both).json() == {"to": "alice"}
    assert told_to(handshake(LOCKED, ("authorization", f"{scheme} {alice}"))) == "alice"
    assert told_to(handshake(LOCKED, ("cookie", f"access_token={alice}"))) == "alice"


def test_D03_a_gate_stands_also_where_the_app_is_mounted() -> None:
    app = ModularApp([owned_app(LOCKED)], "/api")
    assert call(app, "/api/v1/owned/me").status_code == 401
    assert call(app, "/api/v1/owned/me", headers=bearer()).json() == {"to": "alice"}
    assert call(app, "/api/v1/owned/health").status_code == 200
    assert call(app, "/api/v1/owned").status_code == 404, "the whole app's: there is nothing"


OPEN_PATHS = ["/health", "/version", "/versions", "/openapi.json", "/docs", "/docs/", "/ws/asyncapi.json", "/ws/docs"]


@pytest.mark.parametrize("path", [*OPEN_PATHS, "/docs/openapi.js"])
def test_D03_state_and_documents_are_open(path: str) -> None:
    assert call(owned_app(LOCKED), path).status_code == (404 if path == "/docs/openapi.js" else 200)


@pytest.mark.parametrize(
    "path", ["/me", "/ws-stats", "/", "/nothing", "/health/", "/healthy", "/HEALTH", "//health", "/docsx"]
)
def test_D03_everything_else_is_closed(path: str) -> None:
    assert call(owned_app(LOCKED), path).status_code == 401


@pytest.mark.parametrize("path", ["/docs/..%2fme", "/docs/a/../../me%3F", "/docs//me"])
def test_D03_what_is_below_an_open_folder_leads_nowhere_else(path: str) -> None:
    assert call(owned_app(LOCKED), path).status_code in (401, 404)


def test_D03_a_path_that_begins_as_the_mount_does_is_judged_as_the_router_sees_it() -> None:
    app = ModularApp([owned_app(LOCKED)], "/api")
    for path in ("/api/v1/owned/api/v1/owned/health", "/api/v1/owned//health", "/api/v1/owned/me/health"):
        assert call(app, path).status_code == 401, path


@pytest.mark.parametrize(
    ("headers", "told", "challenge"),
    [
        ({}, "No token: send `Authorization: Bearer TOKEN`", "Bearer"),
        ({"Authorization": "Bearer "}, "No token", "Bearer"),
        ({"Authorization": "Basic YTpi"}, "No token", "Bearer"),
        ({"Cookie": "access_token="}, "No token", "Bearer"),
        ({"Cookie": "Access_Token=x; token=y"}, "No token", "Bearer"),
        ({"Authorization": "Bearer x.y.z"}, "is not a JSON Web Token", 'Bearer error="invalid_token"'),
        ({"Authorization": f"Bearer {'x' * 8193}"}, "longer than 8192", 'Bearer error="invalid_token"'),
        (
            {"Authorization": "Bearer a", "Cookie": "access_token=b"},
            "two different tokens (one in the header Authorization, one in the cookie access_token)",
            None,
        ),
        (
            {"Cookie": "access_token=a; access_token=b"},
            "two different tokens (both in cookies access_token)",
            None,
        ),
        (bearer(seconds=-5), "The token expired at ", None),
    ],
)
def test_D03_a_refusal_is_a_401_problem_that_says_why(
    headers: dict[str, str], told: str, challenge: str | None
) -> None:
    reply = call(owned_app(LOCKED), "/me", headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (401, "application/problem+json")
    assert reply.headers["www-authenticate"] == (challenge or 'Bearer error="invalid_token"')
    problem = reply.json()
    assert told in problem["detail"]
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert not any(part in reply.text for part in ("x.y.z", "xxxx", "YTpi"))


def test_D03_a_websocket_is_refused_at_its_handshake_with_the_problem() -> None:
    start, body = handshake(LOCKED)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert (b"www-authenticate", b"Bearer") in start["headers"]
    assert json.loads(body["body"])["detail"].startswith("No token")
    assert handshake(LOCKED, extension=False)[0]["type"] == "websocket.close"
    assert handshake(LOCKED, path="/ws/other")[0]["type"] == "websocket.http.response.start"


ELSEWHERE = "https://evil.example"


@pytest.mark.parametrize(("settings", "host"), [(LOCKED, "test"), (OPEN, "127.0.0.1:8000")], ids=["jwt", "none"])
def test_D03_a_page_elsewhere_changes_nothing_in_the_name_of_a_user(settings: Settings, host: str) -> None:
    app = owned_app(settings)
    cookie = {"Cookie": f"access_token={token()}"}
    refused = call(app, "/me", "DELETE", headers={**cookie, "Origin": ELSEWHERE})
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert call(app, "/me", "DELETE", headers={**cookie, "Host": host, "Origin": f"http://{host}"}).status_code == 200
    assert call(app, "/me", "DELETE", headers=cookie).status_code == 200, "no browser"
    assert call(app, "/me", headers={**cookie, "Origin": ELSEWHERE}).status_code == 200, "it changes nothing"
    assert call(app, "/me", "DELETE", headers={**cookie, "Origin": "null"}).status_code == 403


def test_D03_a_bearer_header_is_no_browsers_own_doing() -> None:
    reply = call(owned_app(LOCKED), "/me", "DELETE", headers={**bearer(), "Origin": ELSEWHERE})
    assert reply.status_code == 200


def test_D03_a_module_without_users_stays_open_and_knows_none() -> None:
    app = owned_app(LOCKED, OpenModule)
    assert call(app, "/open", "POST", headers={"Origin": ELSEWHERE}).json() == {"to": "anybody"}
    with pytest.raises(LookupError, match="needs_user = True"):
        user_of({"type": "http"})


def test_D03_head_and_options_pass_the_gate_too() -> None:
    app = owned_app(LOCKED)
    assert call(app, "/me", "HEAD").status_code == 401
    assert call(app, "/me", "OPTIONS").status_code == 401
    assert call(app, "/me", "HEAD", headers=bearer()).status_code == 200


def test_D03_a_module_without_a_usable_key_is_not_served() -> None:
    with pytest.raises(ModuleError, match="module 'owned' cannot be served: users: the key holds no public key"):
        owned_app(Settings(users=UserSettings(mode="jwt", algorithm="RS256", key=b"-----BEGIN PUBLIC KEY-----")))
    # Nobody is asked here, so its key is none of its business.
    owned_app(Settings(users=UserSettings(mode="jwt")), OpenModule)


def test_D03_the_document_tells_how_to_prove_who_asks_the_same_in_every_mode() -> None:
    document = owned_app(LOCKED).openapi()
    assert document == owned_app(OPEN).openapi()
    assert document["security"] == [{}, {"bearer": []}, {"cookie": []}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "cookie"}
    assert owned_app(LOCKED, OpenModule).openapi()["security"] == []
    parameters = document["paths"]["/me"]["get"].get("parameters", [])
    assert parameters == [], "the user is no parameter"


def test_D03_without_users_no_name_of_this_host_but_its_own_is_trusted() -> None:
    # Whoever owns a name can make it lead here: then the page's Origin and Host are the same.
    app = owned_app(OPEN)
    named = call(app, "/me", "DELETE", headers={"Host": "rebound.example", "Origin": "http://rebound.example"})
    assert named.status_code == 403
    assert "allowed_origins" in named.json()["detail"]
    assert "localhost or by its IP address" in named.json()["detail"]
    allowed = owned_app(Settings(allowed_origins=("http://rebound.example",)))
    headers = {"Host": "rebound.example", "Origin": "http://rebound.example"}
    assert call(allowed, "/me", "DELETE", headers=headers).status_code == 200


def test_D03_an_enormous_time_in_a_signed_token_is_a_refusal_in_words() -> None:
    reply = call(owned_app(LOCKED), "/me", headers=bearer(exp=10**400))
    assert (reply.status_code, reply.json()["detail"]) == (401, "The token's `exp` is not a time.")


def test_a_user_is_told_apart_by_the_id_and_by_having_proved_it() -> None:
    assert User("a") == User("a")
    assert User("a") != User("A")
    assert User("default") != DEFAULT_USER


def test_D03_a_token_for_default_makes_nobody_the_default_user() -> None:
    assert Verifier(HS256).check(token("default")).user == User("default") != DEFAULT_USER
