"""A05, M03: the documents of all modules, and their pages, are the same bytes in both topologies."""

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.gateway_topology import MODULES, Topology
from support.specs_documents import unresolved

from trading_api.shared.registry import installed_modules
from trading_api.shared.specs.canonical import render_json
from trading_api.shared.specs.files import Kind, spec_path
from trading_api.shared.specs.merge import merge_asyncapi, merge_openapi

pytestmark = pytest.mark.integration

OPENAPI, ASYNCAPI = "/api/v1/openapi.json", "/api/v1/ws/asyncapi.json"
DOCUMENTS = [OPENAPI, ASYNCAPI]
PAGES = ["/api/v1/docs", "/api/v1/ws/docs"]


def expected(path: str) -> str:
    """The document at `path` as the committed files make it: what each topology must serve, to the byte."""
    kind: Kind = "openapi" if path == OPENAPI else "asyncapi"
    folders = installed_modules()
    files = {
        name: spec_path(folder.path, name, "v1", kind) for name, folder in folders.items() if "v1" in folder.versions
    }
    parts = {name: json.loads(file.read_bytes()) for name, file in files.items() if kind == "openapi" or file.exists()}
    merge = merge_openapi if kind == "openapi" else merge_asyncapi
    return render_json(merge(parts, version="v1", base_url="/api"))


@pytest.mark.parametrize("path", DOCUMENTS)
def test_A05_the_documents_of_all_modules_are_the_same_bytes_everywhere(backend: Topology, path: str) -> None:
    reply = backend.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.text == expected(path)
    assert unresolved(reply.json()) == []


def test_A05_every_route_in_the_document_is_there(backend: Topology) -> None:
    document = backend.get(OPENAPI).json()
    OpenAPIV31SpecValidator(document).validate()
    assert {path.split("/")[3] for path in document["paths"]} == set(MODULES)
    plain = [path for path, item in document["paths"].items() if "get" in item and "parameters" not in item["get"]]
    assert len(plain) >= 3 * len(MODULES)
    assert {path: backend.get(path).status_code for path in plain} == dict.fromkeys(plain, 200)


def test_A05_every_websocket_of_the_document_is_there(backend: Topology) -> None:
    channels = backend.get(ASYNCAPI).json()["channels"]
    assert {"bars", "quotes", "broker-connection"} <= set(channels)
    for address in {channel["address"] for channel in channels.values()}:
        request = f"GET {address} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        head = f"{request}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        assert backend.raw(head.encode()).status == 101


@pytest.mark.parametrize("page", PAGES)
def test_A05_the_pages_work_offline_behind_any_gateway(backend: Topology, page: str) -> None:
    reply = backend.get(page)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "://" not in reply.text
    loaded = re.findall(r'(?:src|href)="(/[^"#]+)"', reply.text)
    assert len(loaded) >= 3
    assert {link: backend.get(link.replace("&amp;", "&")).status_code for link in loaded} == dict.fromkeys(loaded, 200)


@pytest.mark.parametrize("path", [*DOCUMENTS, *PAGES, "/api/v1/docs/swagger-ui-bundle.js"])
def test_A05_what_a_browser_has_is_not_sent_again(backend: Topology, path: str) -> None:
    first = backend.get(path)
    again = backend.get(path, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_A05_the_page_is_at_its_address_with_a_slash_too(backend: Topology) -> None:
    assert backend.get("/api/v1/docs/").content == backend.get("/api/v1/docs").content


NOTHING = [
    "/api/v2/openapi.json",
    "/api/v1/docs/nothing",
    "/api/v1/ws/docs/",
    "/api/v1/ws/nothing",
    "/api/v1/openapi.yaml",
]


@pytest.mark.parametrize("path", NOTHING)
def test_A05_beside_them_there_is_nothing(backend: Topology, path: str) -> None:
    reply = backend.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert reply.json()["detail"] == "There is nothing at this path."


@pytest.mark.parametrize("module", ["broker", "datafeed"])
def test_A04_every_module_with_websockets_tells_of_them_itself(backend: Topology, module: str) -> None:
    document = backend.get(f"/api/v1/{module}/ws/asyncapi.json").json()
    assert {channel["address"] for channel in document["channels"].values()} == {f"/api/v1/{module}/ws"}
    assert backend.get(f"/api/v1/{module}/ws/docs").status_code == 200
