"""manifest.json: what the deployment tool reads of the modules."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backend_modules import GOOD, INIT, WS, importable, write_module

from trading_api.codegen.documents import Documents, SpecName
from trading_api.codegen.manifest import render_manifest
from trading_api.shared.atomic import replace_if_different
from trading_api.shared.errors import ModuleError
from trading_api.shared.registry import discover
from trading_api.shared.ws.module_router_generator import ensure_routers


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "manifest_example"
    write_module(path, "core")
    with importable(path):
        yield path


def render(modules: Path, documents: Documents | None = None) -> str:
    return render_manifest(discover(modules.name, modules), documents or {})


def test_A01_a_broken_module_has_no_manifest(modules: Path) -> None:
    write_module(modules, "broker", {**GOOD, "__init__.py": "1 / 0\n"})
    with pytest.raises(ModuleError, match="module 'broker'"):
        render(modules)


def test_C06_manifest_tells_prefixes_health_and_websocket_routes(modules: Path) -> None:
    traits = INIT.replace("def create", 'traits = ("writer",)\n\n        def create')
    routes = f"{WS}\n    OrdersWsRouter: TypeAlias = WsRouter[Echo, Echo]\n"
    folder = write_module(modules, "order_book", {**GOOD, "__init__.py": traits, "ws/v2/__init__.py": routes})
    ensure_routers(folder / "ws" / "v2", write=True, package=f"{modules.name}.order_book.ws.v2")
    document = json.loads(render(modules))
    assert document["format"] == 1
    assert list(document["modules"]) == ["core", "order_book"]
    assert document["modules"]["order_book"] == {
        "traits": ["writer"],
        "versions": {
            "v1": {
                "rest_prefix": "/v1/order_book",
                "health_path": "/v1/order_book/health",
                "ws_path": None,
                "ws_routes": [],
                "safe_posts": [],
            },
            "v2": {
                "rest_prefix": "/v2/order_book",
                "health_path": "/v2/order_book/health",
                "ws_path": "/v2/order_book/ws",
                "ws_routes": ["echo", "orders"],
                "safe_posts": [],
            },
        },
    }


def test_N04_the_manifest_names_posts_that_are_declared_to_only_read(modules: Path) -> None:
    write_module(modules, "broker")
    paths = {
        "/quotes": {"post": {"x-safe": True}, "get": {}},
        "/orders": {"post": {}},
        "/odd": {"post": {"x-safe": "yes"}, "put": {"x-safe": True}},
        "/one/{of}": {"post": {"x-safe": True}},
    }
    document = json.loads(render(modules, {SpecName("broker", "v1", "openapi"): {"paths": paths}}))
    versions = {name: module["versions"]["v1"]["safe_posts"] for name, module in document["modules"].items()}
    assert versions == {"broker": ["/v1/broker/quotes"], "core": []}


def test_G03_rendering_twice_is_identical_with_sorted_keys_and_a_final_newline(modules: Path) -> None:
    text = render(modules)
    assert text == render(modules) == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def test_G01_importing_for_the_manifest_makes_no_module(modules: Path) -> None:
    write_module(modules, "broker", {**GOOD, "__init__.py": INIT.replace("return Service()", "raise AssertionError")})
    assert "broker" in json.loads(render(modules))["modules"]


def test_G09_nothing_is_written_when_nothing_differs(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    assert replace_if_different(path, "a\n")
    before = path.stat()
    assert not replace_if_different(path, "a\n")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert replace_if_different(path, "b\n")
    assert path.read_text() == "b\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["manifest.json"]
