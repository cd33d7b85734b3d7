"""The origins of pages: WebSockets of foreign pages are refused, allowed pages may read (D03)."""

import json

import pytest
from support.backend_calls import call, call_websocket
from support.user_module import OpenModule, OwnedModule, owned_app

from trading_api.settings import Settings
from trading_api.shared.edge.origins import Origins, origins_of
from trading_api.user_settings import UserSettings

APP = "https://app.example.com"
CLOSED = Settings(allowed_origins=(APP,))
DEVELOPMENT = Settings()
PRODUCTION = Settings(users=UserSettings(mode="jwt"))


def taken(
    settings: Settings, origin: str | None, host: str = "api.example.com", module: type[OwnedModule] = OpenModule
) -> bool:
    """Whether a WebSocket of a page is taken; by default by a module that needs no user."""
    headers = {"host": host, **({"origin": origin} if origin is not None else {})}
    sent = call_websocket(owned_app(settings, module), "/ws", [], headers)
    return bool(sent[0]["type"] == "websocket.accept")


@pytest.mark.parametrize("settings", [CLOSED, DEVELOPMENT, PRODUCTION], ids=["allowed", "development", "production"])
def test_D03_a_websocket_comes_from_the_same_host_or_from_no_browser(settings: Settings) -> None:
    assert taken(settings, None)
    assert taken(settings, "https://api.example.com")
    assert taken(settings, "http://api.example.com")
    assert taken(settings, "https://api.example.com:8443", "API.example.com:8443")
    assert taken(settings, "http://[::1]:8000", "[::1]:8000")
    assert taken(settings, "https://api.example.com", "api.example.com:443")
    for foreign in (
        "https://evil.example",
        "https://api.example.com.evil.example",
        "https://evil.example/api.example.com",
        "https://api.example.com:8443",
        "https://api.example.com@evil.example",
        "ftp://api.example.com",
        "null",
        "",
        "api.example.com",
        "https://",
        "https://app.example.com.evil.example",
        "http://app.example.com",
    ):
        assert not taken(settings, foreign), foreign


@pytest.mark.parametrize("settings", [CLOSED, DEVELOPMENT], ids=["allowed", "development"])
def test_D03_without_users_the_same_host_is_one_that_nobody_can_own_a_name_of(settings: Settings) -> None:
    for host in (
        "localhost:8000",
        "LOCALHOST:8000",
        "app.localhost",
        "127.0.0.1:8000",
        "192.168.1.20:8000",
        "[::1]:8000",
        "[fd00::7]",
    ):
        assert taken(settings, f"http://{host}", host, OwnedModule), host
    assert not taken(settings, "http://192.168.1.20:8000", "192.168.1.21:8000", OwnedModule), "not the host it asks"
    assert taken(settings, None, "rebound.example", OwnedModule), "no browser"
    for host in (
        "rebound.example",
        "rebound.example:8000",
        "localhost.rebound.example",
        "notlocalhost",
        "127.0.0.1.rebound.example",
        "[::1].rebound.example",
        "1.2.3",
        "",
    ):
        assert not taken(settings, f"http://{host}", host, OwnedModule), host


def test_D03_allowed_origins_are_exactly_those() -> None:
    assert taken(CLOSED, APP)
    assert not taken(CLOSED, "http://localhost:5173"), "allowed_origins says all there is"
    assert not taken(DEVELOPMENT, APP)


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1", "https://localhost", "http://[::1]:1"])
def test_D03_pages_of_this_machine_are_allowed_in_development_only(origin: str) -> None:
    assert taken(DEVELOPMENT, origin)
    assert not taken(PRODUCTION, origin)


@pytest.mark.parametrize("origin", ["http://localhost.evil.example", "http://127.0.0.1.evil", "http://localhost:1:2"])
def test_D03_what_only_looks_like_this_machine_is_not(origin: str) -> None:
    assert not taken(DEVELOPMENT, origin)


def test_D03_more_than_one_origin_or_host_is_nobodys() -> None:
    origins = Origins([APP])
    scope = {"headers": [(b"host", b"a.example"), (b"host", b"b.example")]}
    assert not origins.allow(["https://a.example"], scope)
    assert not origins.allow([APP, APP], scope)
    assert origins.allow([APP], scope)
    assert not origins.allow(["https://a.example"], {"headers": []})


def test_D03_a_refused_websocket_is_told_why() -> None:
    app = owned_app(CLOSED, OpenModule)
    (close,) = call_websocket(app, "/ws", [], {"host": "a", "origin": "https://evil.example"})
    assert (close["type"], close["code"]) == ("websocket.close", 1008)
    assert "allowed_origins" in close["reason"]


def test_D03_an_allowed_page_may_read_with_its_users_cookies() -> None:
    app = owned_app(CLOSED, OpenModule)
    reply = call(app, "/health", headers={"Origin": APP})
    assert reply.headers["access-control-allow-origin"] == APP
    assert reply.headers["access-control-allow-credentials"] == "true"
    assert "X-Request-ID" in reply.headers["access-control-expose-headers"]
    assert "Origin" in reply.headers["vary"]
    ask = {"Origin": APP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "idempotency-key"}
    allowed = call(app, "/health", "OPTIONS", headers=ask)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, APP)
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert "idempotency-key" in allowed.headers["access-control-allow-headers"].lower()


def test_D03_an_error_can_be_read_too() -> None:
    app = owned_app(CLOSED)
    for path, method in (("/nothing", "GET"), ("/me", "PATCH")):
        reply = call(app, path, method, headers={"Origin": APP})
        assert reply.status_code >= 400
        assert reply.headers["access-control-allow-origin"] == APP
        assert json.loads(reply.content)["request_id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{APP}.evil.example"])
def test_D03_other_pages_are_given_nothing_to_read(origin: str) -> None:
    app = owned_app(CLOSED, OpenModule)
    reply = call(app, "/health", headers={"Origin": origin})
    assert not [name for name in reply.headers if name.startswith("access-control-")]
    ask = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    assert call(app, "/health", "OPTIONS", headers=ask).status_code == 405


def test_D03_without_an_origin_nothing_is_added() -> None:
    reply = call(owned_app(CLOSED, OpenModule), "/health")
    assert "vary" not in reply.headers
    assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_D03_the_origins_of_settings() -> None:
    assert not origins_of(PRODUCTION).includes("http://localhost:3000")
    assert not origins_of(CLOSED).includes("http://localhost:3000")
    assert origins_of(CLOSED).includes(APP)
    assert origins_of(DEVELOPMENT).includes("http://localhost:3000")
