"""What the deployment does so that merged documents reach a client: reserved names, the server, the gateway (A05)."""

from pathlib import Path

import pytest
import yaml
from support.backend_modules import write_module

from deploy import loader
from deploy.layout import Layout
from deploy.manifest import Manifest, ModuleEntry, VersionEntry
from deploy.plan import Plan, Site
from deploy.planner import plan
from trading_api.settings import SettingsError, read_settings
from trading_api.shared.errors import ModuleError
from trading_api.shared.registry import discover, select

KNOWN = {"broker": ("v1", "v2"), "core": ("v1",), "datafeed": ("v1",)}


def manifest() -> Manifest:
    def entry(name: str, version: str) -> VersionEntry:
        return VersionEntry(f"/{version}/{name}", f"/{version}/{name}/health", None, ())

    return Manifest({name: ModuleEntry({v: entry(name, v) for v in versions}) for name, versions in KNOWN.items()})


def planned(folder: Path, servers: dict[str, dict[str, object]], **top: object) -> Plan:
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({"servers": servers, **top}, sort_keys=False), encoding="utf-8")
    site = Site(Layout(file, folder), Path("python"), Path("nginx"))
    return plan(loader.load(file, manifest(), {}), manifest(), site)


def deployed(made: Plan) -> dict[str, str | None]:
    return {process.name: dict(process.env).get("TRADING_DEPLOYED_MODULES") for process in made.servers()}


@pytest.mark.parametrize("name", ["docs", "ws", "openapi"])
def test_A05_a_module_cannot_take_the_path_of_the_documents(tmp_path: Path, name: str) -> None:
    write_module(tmp_path, "core")
    write_module(tmp_path, name)
    with pytest.raises(ModuleError, match=f"module '{name}'.*/v1/{name} belongs to the documents"):
        select(discover("x", tmp_path), ())


def test_A05_an_unknown_module_of_the_deployment_is_named() -> None:
    with pytest.raises(SettingsError, match="TRADING_DEPLOYED_MODULES: unknown module 'brokr'; did you mean 'broker'"):
        read_settings({"TRADING_DEPLOYED_MODULES": "core,brokr"}, KNOWN)


def test_A05_the_modules_of_the_deployment_come_from_the_environment() -> None:
    assert read_settings({"TRADING_DEPLOYED_MODULES": " core, broker,"}, KNOWN).deployed_modules == ("core", "broker")
    assert read_settings({}, KNOWN).deployed_modules == ()


def test_A05_only_the_instances_of_the_core_server_tell_of_every_module(tmp_path: Path) -> None:
    servers: dict[str, dict[str, object]] = {
        "broker": {"port": 8001, "modules": ["broker"]},
        "core": {"port": 8003, "instances": 2},
    }
    everything = "broker,core"
    assert deployed(planned(tmp_path, servers)) == {"broker-0": None, "core-0": everything, "core-1": everything}


def test_A05_without_a_core_server_it_is_the_first(tmp_path: Path) -> None:
    servers: dict[str, dict[str, object]] = {
        "b": {"port": 8001, "modules": ["broker"]},
        "a": {"port": 8002, "modules": ["datafeed"]},
    }
    assert deployed(planned(tmp_path, servers)) == {"b-0": "broker,core,datafeed", "a-0": None}


def test_A05_the_gateway_routes_the_documents_of_every_version_that_is_deployed(tmp_path: Path) -> None:
    servers: dict[str, dict[str, object]] = {"s": {"port": 8001, "modules": ["broker"]}, "core": {"port": 8002}}
    routes = planned(tmp_path, servers, api_base_url="/trade").gateway.documents
    assert {path: route.upstream for route in routes for path in (*route.paths, *route.pages)} == {
        f"/trade/{version}/{path}": "core"
        for version in ("v1", "v2")
        for path in ("openapi.json", "docs", "docs/", "ws/asyncapi.json", "ws/docs")
    }
    (only,) = planned(tmp_path, {"s": {"port": 8001, "modules": ["datafeed"]}}).gateway.documents
    assert (only.paths[0], only.upstream) == ("/api/v1/openapi.json", "s")
