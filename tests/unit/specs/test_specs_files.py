"""The committed documents, and the merged ones that are made of them (A05, G02, M05)."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backend_calls import call
from support.backend_modules import API, GOOD, importable, write_module

from trading_api.app_factory import create_app
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.problems import ProblemError
from trading_api.shared.registry import discover
from trading_api.shared.specs.files import spec_path, write_module_specs
from trading_api.shared.specs.following import follow
from trading_api.shared.specs.merged import MergedDocuments, SpecSource

EXTRA = API.replace("pass", 'self.get("/extra")(self.extra)\n\n        def extra(self) -> list[str]: return []')


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "files_example"
    write_module(path, "core")
    write_module(path, "broker", {**GOOD, "api/v1.py": EXTRA, "api/v2.py": API})
    with importable(path):
        yield path


def app_of(modules: Path, *names: str, base_url: str = "/api", deployed: tuple[str, ...] = ()) -> ModularApp:
    chosen = tuple(ModuleChoice(name) for name in names)
    settings = Settings(enabled_modules=chosen, base_url=base_url, deployed_modules=deployed)
    return create_app(settings, discover(modules.name, modules))


def write_specs(app: ModularApp) -> list[Path]:
    return [path for mounted in app.module_apps for path in write_module_specs(mounted, mounted.module.folder())]


def test_A05_a_module_elsewhere_without_a_file_is_503_naming_the_command(modules: Path) -> None:
    reply = call(app_of(modules, "core", deployed=("core", "broker")), "/api/v1/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (503, "application/problem+json")
    assert reply.json()["detail"] == "The openapi document of broker v1 is missing; run: make generate"


@pytest.mark.parametrize("content", ["", "{", "[]", "\udcff"])
def test_A05_a_file_that_is_no_document_counts_as_missing(modules: Path, content: str) -> None:
    path = spec_path(modules / "broker", "broker", "v1", "openapi")
    path.parent.mkdir()
    path.write_bytes(content.encode(errors="surrogateescape"))
    assert call(app_of(modules, "core", deployed=("broker",)), "/api/v1/openapi.json").status_code == 503
    assert "/api/v1/broker/extra" in call(app_of(modules, "broker"), "/api/v1/openapi.json").json()["paths"]


def test_A05_both_topologies_serve_the_same_bytes(modules: Path) -> None:
    everything = app_of(modules)
    write_specs(everything)
    only_core = app_of(modules, "core", deployed=("broker", "core"))
    for path in ("/api/v1/openapi.json", "/api/v2/openapi.json", "/api/v1/ws/asyncapi.json", "/api/v1/docs"):
        one, tree = call(everything, path), call(only_core, path)
        assert one.status_code == 200
        assert (one.content, one.headers["etag"]) == (tree.content, tree.headers["etag"])
    assert "/api/v1/broker/extra" in call(only_core, "/api/v1/openapi.json").json()["paths"]


def test_A05_there_is_one_for_every_version_that_some_module_has(modules: Path) -> None:
    app = app_of(modules)
    assert set(call(app, "/api/v2/openapi.json").json()["paths"]) == {
        f"/api/v2/broker/{route}" for route in ("health", "version", "versions")
    }
    assert call(app, "/api/v3/openapi.json").status_code == 404
    assert call(app_of(modules, "core"), "/api/v2/openapi.json").status_code == 404


def test_A05_the_deployment_is_what_is_enabled_where_nothing_else_is_said(modules: Path) -> None:
    paths = call(app_of(modules, "core"), "/api/v1/openapi.json").json()["paths"]
    assert {path.split("/")[3] for path in paths} == {"core"}


@pytest.mark.parametrize("base_url", ["", "/api", "/trade/api"])
def test_A05_addresses_follow_the_base_url_and_files_do_not(modules: Path, base_url: str) -> None:
    app = app_of(modules, base_url=base_url)
    write_specs(app)
    path = spec_path(modules / "broker", "broker", "v1", "openapi")
    assert json.loads(path.read_bytes())["servers"] == [{"url": "/api/v1/broker"}]
    assert f"{base_url}/v1/broker/extra" in call(app, f"{base_url}/v1/openapi.json").json()["paths"]
    live = call(app, f"{base_url}/v1/broker/openapi.json").json()
    assert live["servers"] == [{"url": f"{base_url}/v1/broker"}]


def test_A05_a_file_that_changes_is_read_again_and_one_that_does_not_is_not(modules: Path) -> None:
    app = app_of(modules)
    write_specs(app)
    source = SpecSource("broker", "v1", modules / "broker", websockets=False)
    merged = MergedDocuments("v1", (source,))
    first = merged.openapi("/api/v1")
    assert merged.openapi("/api/v1") is first
    path = source.path("openapi")
    path.write_text(path.read_text(encoding="utf-8").replace('"/extra"', '"/other"'), encoding="utf-8")
    assert "/api/v1/broker/other" in merged.openapi("/api/v1")["paths"]
    path.unlink()
    with pytest.raises(ProblemError, match="make generate"):
        merged.openapi("/api/v1")


def test_M05_writing_again_writes_nothing(modules: Path) -> None:
    app = app_of(modules)
    names = [path.name for path in write_specs(app)]
    assert names == ["broker_v1_openapi.json", "broker_v2_openapi.json", "core_v1_openapi.json"]
    assert write_specs(app) == []


def test_M05_the_document_of_websockets_that_are_gone_goes_too(modules: Path) -> None:
    path = spec_path(modules / "core", "core", "v1", "asyncapi")
    path.parent.mkdir()
    path.write_text("{}")
    assert path in write_specs(app_of(modules, "core"))
    assert not path.exists()


def test_M05_an_error_is_logged_and_the_other_modules_follow(modules: Path, caplog: pytest.LogCaptureFixture) -> None:
    (modules / "broker" / "specs_generated").write_text("a file where the folder should be")
    with caplog.at_level(logging.INFO):
        follow(app_of(modules).module_apps).join(10)
    assert spec_path(modules / "core", "core", "v1", "openapi").is_file()
    assert [record.levelname for record in caplog.records].count("ERROR") == 2, "both versions of the broker"
    assert "the documents of broker v1 cannot be written" in caplog.text
    assert "updated core_v1_openapi.json" in caplog.text
