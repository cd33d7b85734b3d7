"""OpenAPI documents of the shipped modules: valid, complete, the same in every process (G02, A08)."""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.specs_documents import ROOT, Json, all_values, unresolved

from trading_api.app_factory import create_app
from trading_api.settings import Settings
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import installed_modules
from trading_api.shared.specs.files import module_specs
from trading_api.shared.specs.merge import merge_openapi
from trading_api.shared.specs.openapi import completed
from trading_api.shared.specs.operations import operations

PROGRAM = """
import random, sys
from trading_api.app_factory import create_app
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.specs.canonical import render_json
from trading_api.shared.specs.files import module_specs
names = sys.argv[1:]
apps = [app for name in names for app in create_app(Settings((ModuleChoice(name),), base_url="/x")).module_apps]
texts = {f"{app.title} {kind}": render_json(spec) for app in apps for kind, spec in module_specs(app).items()}
print("".join(f"{name} {texts[name]}" for name in sorted(texts)))
"""


@cache
def apps() -> Mapping[str, ModuleApp]:
    return {app.title: app for app in create_app(Settings()).module_apps}


NAMES = [f"{name} {version}" for name, folder in installed_modules().items() for version in folder.versions]


def spec(name: str) -> Json:
    return module_specs(apps()[name])["openapi"]


@pytest.mark.parametrize("name", NAMES)
def test_G02_every_document_is_valid_openapi_31(name: str) -> None:
    OpenAPIV31SpecValidator(spec(name)).validate()
    assert unresolved(spec(name)) == []


def test_A05_the_merged_document_is_valid_openapi_31() -> None:
    parts = {app.module.name: module_specs(app)["openapi"] for app in apps().values()}
    document = merge_openapi(parts, version="v1", base_url="/api")
    OpenAPIV31SpecValidator(document).validate()
    assert unresolved(document) == []


@pytest.mark.parametrize("name", NAMES)
def test_G02_a_document_says_where_under_which_license_and_about_what(name: str) -> None:
    document, (module, version) = spec(name), name.split()
    assert document["servers"] == [{"url": f"/api/{version}/{module}"}]
    assert document["info"]["license"] == {"name": "MIT", "identifier": "MIT"}
    assert document["info"]["description"]
    # What belongs to users is asked for with a proof, unless the deployment has none: one document for both.
    assert document["security"] == ([{}, {"bearer": []}, {"cookie": []}] if module == "broker" else [])
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert {tag for operation in operations(document) for tag in operation["tags"]} == set(described)
    assert all(described.values())


@pytest.mark.parametrize("name", NAMES)
def test_A08_every_operation_tells_of_its_errors(name: str) -> None:
    for operation in operations(spec(name)):
        problem = {"$ref": "#/components/responses/Problem"}
        assert operation["responses"]["4XX"] == operation["responses"]["default"] == problem
        assert operation["operationId"]
        assert operation["summary"]


@pytest.mark.parametrize("name", NAMES)
def test_G02_every_time_of_day_is_said_to_be_utc(name: str) -> None:
    for documents in module_specs(apps()[name]).values():
        times = [schema for schema in _schemas(documents) if schema.get("format") == "date-time"]
        assert all("UTC" in schema.get("description", "") for schema in times)


def _schemas(document: Json) -> list[Json]:
    return [schema for named in all_values(document, "properties") for schema in named.values()]


def test_G02_completing_twice_is_as_once() -> None:
    once = apps()["datafeed v1"].openapi()
    assert completed(once, apps()["datafeed v1"].tag_descriptions) == once


@pytest.mark.slow
def test_G02_every_process_writes_the_same_bytes() -> None:
    def written(seed: str, names: list[str]) -> str:
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "backend" / "src")}
        command = [sys.executable, "-c", PROGRAM, *names]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60).stdout

    names = sorted(installed_modules())
    first = written("1", names)
    assert first.count('"openapi": "3.1.0"') >= len(names)
    assert written("2", names[::-1]) == first
