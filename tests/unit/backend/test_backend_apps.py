"""ModuleApp and ModularApp: the common routes, documents and lifespans (A02, A03, A04), and the broker's account."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from fastapi import FastAPI
from starlette.routing import Mount
from support.backend_calls import call, call_websocket
from support.backend_modules import API, GOOD_WS, WS, importable, write_module

from trading_api.app_factory import create_app
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.api.interface import StatusRouter
from trading_api.shared.errors import ModuleError
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.module import Module
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import discover
from trading_api.shared.service import Service, ServiceHealth


class Hooks(Service):
    """A service that writes down which of its hooks ran, and fails where it is told to."""

    log: ClassVar[list[str]] = []
    failing: ClassVar[set[str]] = set()

    def __init__(self, name: str) -> None:
        self.name = name

    async def startup(self) -> None:
        self._run("start")

    async def shutdown(self) -> None:
        self._run("stop")

    def health(self) -> ServiceHealth:
        return ServiceHealth("degraded", "The store is away.")

    def _run(self, hook: str) -> None:
        self.log.append(f"{hook} {self.name}")
        if f"{hook} {self.name}" in self.failing:
            raise OSError(f"cannot {hook}")


class HooksModule(Module[Hooks]):
    """A module around Hooks; its name is given, for all of them are defined here."""

    def __init__(self, name: str) -> None:
        super().__init__(Settings())
        self.name = self.service.name = name

    def create_service(self, settings: Settings) -> Hooks:  # noqa: ARG002
        return Hooks("")


@pytest.fixture(autouse=True)
def fresh_hooks() -> None:
    Hooks.log.clear()
    Hooks.failing.clear()


@pytest.fixture
def two_versions(tmp_path: Path) -> Iterator[ModularApp]:
    path = tmp_path / "versions_example"
    write_module(path, "core")
    write_module(path, "order_book", {**GOOD_WS, "api/v2.py": API, "ws/v3/__init__.py": WS})
    with importable(path):
        yield create_app(Settings(development=True), discover(path.name, path))


def hooks_app(*names: str, versions: tuple[str, ...] = ("v1",)) -> ModularApp:
    modules = [HooksModule(name) for name in names]
    apps = [ModuleApp(module, StatusRouter(module, v, versions)) for module in modules for v in versions]
    return ModularApp(apps, "/api")


def run_lifespan(app: FastAPI) -> None:
    async def run() -> None:
        async with app.router.lifespan_context(app):
            Hooks.log.append("serve")

    asyncio.run(run())


def broker_app(base_url: str = "/api") -> ModularApp:
    return create_app(Settings(enabled_modules=(ModuleChoice("broker"),), base_url=base_url))


def test_A04_when_a_start_fails_the_error_names_the_module_and_those_started_are_stopped() -> None:
    Hooks.failing.add("start b")
    with pytest.raises(ModuleError, match=r"module 'b'.*its start-up failed: OSError: cannot start"):
        run_lifespan(hooks_app("a", "b", "c"))
    assert Hooks.log == ["start a", "start b", "stop a"]


def test_A04_when_a_stop_fails_the_error_names_the_module_and_the_others_are_stopped() -> None:
    Hooks.failing.add("stop b")
    with pytest.raises(ModuleError, match=r"module 'b'.*its shutdown failed: OSError: cannot stop"):
        run_lifespan(hooks_app("a", "b", "c"))
    assert Hooks.log == ["start a", "start b", "start c", "serve", "stop c", "stop b", "stop a"]


def test_A04_hooks_run_once_however_many_versions_are_served() -> None:
    run_lifespan(hooks_app("a", versions=("v1", "v2", "v3")))
    assert Hooks.log == ["start a", "serve", "stop a"]


def test_A04_hooks_run_when_a_module_app_is_served_alone() -> None:
    run_lifespan(hooks_app("a").module_apps[0])
    assert Hooks.log == ["start a", "serve", "stop a"]


def test_A03_health_says_when_the_service_lacks_something() -> None:
    health = call(hooks_app("a"), "/api/v1/a/health").json()
    assert (health["status"], health["message"]) == ("degraded", "The store is away.")


@pytest.mark.parametrize("module", ["broker", "core"])
def test_A03_every_module_has_health_version_and_versions(module: str) -> None:
    app = broker_app()
    before = datetime.now(UTC)
    health = call(app, f"/api/v1/{module}/health").json()
    time = datetime.fromisoformat(health.pop("timestamp"))
    assert time.utcoffset() == timedelta(0)
    assert before <= time <= datetime.now(UTC)
    assert health == {"status": "ok", "message": "The module is up.", "module_name": module, "api_version": "v1"}
    assert call(app, f"/api/v1/{module}/version").json() == {"module_name": module, "api_version": "v1"}
    assert call(app, f"/api/v1/{module}/versions").json() == {"module_name": module, "api_versions": ["v1"]}


def test_A02_versions_are_served_side_by_side_with_documents_of_their_own(two_versions: ModularApp) -> None:
    for version in ("v1", "v2", "v3"):
        health = call(two_versions, f"/api/{version}/order_book/health").json()
        assert health["api_version"] == version
        document = call(two_versions, f"/api/{version}/order_book/openapi.json").json()
        assert document["info"]["version"] == version
    everything = call(two_versions, "/api/v2/order_book/versions").json()["api_versions"]
    assert everything == ["v1", "v2", "v3"]


def test_A04_websocket_is_served_below_its_module_and_version(two_versions: ModularApp) -> None:
    subscribe = '{"type":"echo.subscribe","payload":{"word":"hello"}}'
    frames = [{"type": "websocket.receive", "text": subscribe}]
    accepted, reply, update = call_websocket(two_versions, "/api/v1/order_book/ws", frames)
    assert accepted["type"] == "websocket.accept"
    assert json.loads(reply["text"])["type"] == "echo.subscribe.response"
    assert json.loads(update["text"])["payload"]["payload"] == {"word": "hello"}
    refused = call_websocket(two_versions, "/api/v2/order_book/ws", frames)
    assert [message["type"] for message in refused] == ["websocket.close"]
    assert [app.ws_routes for app in two_versions.module_apps] == [(), ("echo",), (), ("echo",)]


def test_A04_module_app_is_complete_alone_and_mounted() -> None:
    mounted = broker_app()
    alone = next(app for app in mounted.module_apps if app.title == "broker v1")
    assert call(alone, "/account").json() == call(mounted, "/api/v1/broker/account").json()
    assert "/api/v1/broker/openapi.json" in call(mounted, "/api/v1/broker/docs").text
    inner, outer = call(alone, "/openapi.json").json(), call(mounted, "/api/v1/broker/openapi.json").json()
    assert (inner.pop("servers"), outer.pop("servers")) == ([{"url": "/"}], [{"url": "/api/v1/broker"}])
    assert inner == outer


def test_A04_apps_are_mounted_where_routes_are_listed() -> None:
    mounts = {route.path: route.app for route in broker_app("/x").routes if isinstance(route, Mount)}
    assert set(mounts) == {"/x/v1/broker", "/x/v1/core"}
    assert all(isinstance(app, ModuleApp) for app in mounts.values())


@pytest.mark.parametrize("base_url", ["", "/api", "/trade/api"])
def test_A04_the_base_url_may_have_any_depth(base_url: str) -> None:
    app = broker_app(base_url)
    assert call(app, f"{base_url}/v1/broker/account").status_code == 200
    for wrong in (
        "",
        "/",
        "/v1",
        "/v1/broker",
        "/v1/broker/",
        "/v1/broker/account/",
        "/v2/broker/account",
        "/v1/nope/x",
    ):
        assert call(app, f"{base_url}{wrong}").status_code == 404


def test_A04_operation_ids_are_those_of_the_contract() -> None:
    paths = call(broker_app(), "/api/v1/broker/openapi.json").json()["paths"]
    found = {
        f"{method.upper()} {path}": operation["operationId"]
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    assert found == {
        "GET /health": "getHealthStatus",
        "GET /version": "getCurrentAPIVersion",
        "GET /versions": "getAPIVersions",
        "GET /ws-stats": "getWebSocketStatistics",
        "GET /account": "getAccountInfo",
        "POST /orders": "placeOrder",
        "GET /orders": "getOrders",
        "POST /orders/preview": "previewOrder",
        "PUT /orders/{order_id}": "modifyOrder",
        "DELETE /orders/{order_id}": "cancelOrder",
        "GET /positions": "getPositions",
        "DELETE /positions/{position_id}": "closePosition",
        "PUT /positions/{position_id}/brackets": "editPositionBrackets",
        "GET /executions/{symbol}": "getExecutions",
        "GET /leverage/info": "leverageInfo",
        "PUT /leverage/set": "setLeverage",
        "POST /leverage/preview": "previewLeverage",
    }


def test_A04_a_route_without_an_operation_id_is_named_after_its_function() -> None:
    app = hooks_app("a").module_apps[0]

    @app.get("/extra")
    def list_extras() -> list[str]:
        return []

    assert call(app, "/openapi.json").json()["paths"]["/extra"]["get"]["operationId"] == "list_extras"


def test_A06_every_shipped_route_documents_its_answer() -> None:
    for app in broker_app().module_apps:
        for path, operations in app.openapi()["paths"].items():
            for method, operation in operations.items():
                answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
                assert (answer.get("items") or answer).get("$ref"), f"{app.title} {method} {path}"


def test_D01_account_is_the_demo_account_in_dollars() -> None:
    account = call(broker_app(), "/api/v1/broker/account").json()
    assert set(account) == {"id", "name", "currency"}
    assert (account["id"], account["currency"]) == ("DEMO-ACCOUNT", "USD")
