"""The committed documents, and the merged ones that are made of them (A05, G02, M05)."""

import importlib
import json
import logging
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backend_calls import call
from support.backend_modules import API, GOOD, WS, WS_INIT, importable, write_module

from trading_api.app_factory import create_app
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.problems import ProblemError
from trading_api.shared.registry import discover
from trading_api.shared.specs.deployment import DeploymentDocuments
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
        follow(app_of(modules).module_apps).join(60)
    assert spec_path(modules / "core", "core", "v1", "openapi").is_file()
    assert [record.levelname for record in caplog.records].count("ERROR") == 2, "both versions of the broker"
    assert "the documents of broker v1 cannot be written" in caplog.text
    assert "updated core_v1_openapi.json" in caplog.text


DOCUMENTS = ("openapi.json", "docs", "docs/", "docs/docs.css", "ws/asyncapi.json", "ws/docs")


def add(path: Path, source: str) -> None:
    """A file that comes while the apps run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    importlib.invalidate_caches()


def statuses(app: ModularApp, version: str) -> set[int]:
    return {call(app, f"/api/{version}/{document}").status_code for document in DOCUMENTS}


def test_A05_a_version_that_comes_later_is_documented_without_a_restart_of_core(modules: Path) -> None:
    core = app_of(modules, "core", deployed=("broker", "core"))
    write_specs(app_of(modules))
    assert statuses(core, "v3") == {404}
    add(modules / "broker" / "api" / "v3.py", API)
    missing = call(core, "/api/v3/openapi.json")
    assert (missing.status_code, "make generate" in missing.json()["detail"]) == (503, True)
    everything = app_of(modules)
    write_specs(everything)
    assert statuses(core, "v3") == {200}
    for document in DOCUMENTS:
        assert call(core, f"/api/v3/{document}").content == call(everything, f"/api/v3/{document}").content
    assert statuses(core, "v4") == {404}, "no module has it"


def test_A05_a_version_that_goes_is_documented_no_longer(modules: Path) -> None:
    core = app_of(modules, "core", deployed=("broker", "core"))
    write_specs(app_of(modules))
    assert statuses(core, "v2") == {200}
    (modules / "broker" / "api" / "v2.py").unlink()
    assert statuses(core, "v2") == {404}
    shutil.rmtree(modules / "broker")
    assert set(call(core, "/api/v1/openapi.json").json()["paths"]) == {
        f"/api/v1/core/{route}" for route in ("health", "version", "versions")
    }


def test_A05_the_first_websocket_of_a_module_is_documented_without_a_restart_of_core(modules: Path) -> None:
    write_module(modules, "echo", {"__init__.py": WS_INIT, "api/v1.py": API})
    core = app_of(modules, "core", deployed=("echo", "core"))
    write_specs(app_of(modules, "echo"))
    assert call(core, "/api/v1/ws/asyncapi.json").json()["channels"] == {}
    add(modules / "echo" / "ws" / "v1" / "__init__.py", WS)
    chosen = (ModuleChoice("echo"), ModuleChoice("core"))
    everything = create_app(Settings(chosen, development=True), discover(modules.name, modules))
    write_specs(everything)
    for document in DOCUMENTS:
        assert call(core, f"/api/v1/{document}").content == call(everything, f"/api/v1/{document}").content
    assert set(call(core, "/api/v1/ws/asyncapi.json").json()["channels"]) == {"echo"}
    shutil.rmtree(modules / "echo" / "ws")
    assert call(core, "/api/v1/ws/asyncapi.json").json()["channels"] == {}


def test_A05_of_its_own_modules_a_process_documents_what_it_serves(modules: Path) -> None:
    everything = app_of(modules)
    write_specs(everything)
    add(modules / "broker" / "api" / "v3.py", API)
    assert statuses(everything, "v3") == {404}, "until it starts anew"
    (modules / "broker" / "api" / "v2.py").unlink()
    assert statuses(everything, "v2") == {200}


def test_A05_what_has_not_changed_is_not_merged_again(modules: Path) -> None:
    write_specs(app_of(modules))
    documents = DeploymentDocuments((), [discover(modules.name, modules)["broker"]])
    first = documents.of("v1")
    assert first
    assert documents.of("v1") is first
    add(modules / "broker" / "api" / "v3.py", API)
    assert documents.of("v1") is first, "another version is none of its business"
    add(modules / "broker" / "ws" / "v1" / "__init__.py", WS)
    assert documents.of("v1") is not first
    assert documents.of("../v1") is None


@pytest.mark.parametrize("version", ["v9", "V1", "v01", "..", "%2e%2e", "docs"])
def test_A05_what_is_no_version_of_the_deployment_has_no_documents(modules: Path, version: str) -> None:
    write_specs(app_of(modules))
    assert statuses(app_of(modules), version) == {404}
