"""Documents and their pages as they are served: complete, offline, cached, safe (A04, A05)."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.backend_calls import call
from support.backend_modules import importable, write_module
from support.specs_documents import ROOT, ROUTES, Json, unresolved

from trading_api.app_factory import create_app
from trading_api.settings import Settings
from trading_api.shared.docs_pages.assets import ASSETS
from trading_api.shared.docs_pages.asyncapi_page import page_of
from trading_api.shared.docs_pages.rendering import asyncapi_page
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.registry import discover
from trading_api.shared.specs.asyncapi import asyncapi_document
from trading_api.shared.specs.canonical import render_json
from trading_api.shared.specs.examples import example

LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("form", "action")}


class Links(HTMLParser):
    """What a page loads and where it leads; `code` is what of it would run as script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.leads: list[str] = []
        self.anchors: set[str] = set()
        self.code: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        for name, value in attrs:
            if (tag, name) in LOADED:
                self.loaded.append(value or "")
            if (tag, name) == ("a", "href"):
                self.leads.append(value or "")
            if name == "id":
                self.anchors.add(value or "")
            if name.startswith("on"):
                self.code.append(value or "")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.code.append(data)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[ModularApp]:
    path = tmp_path / "docs_example"
    write_module(path, "core")
    with importable(path):
        yield create_app(Settings(), discover(path.name, path))


PAGES = ["/api/v1/core/docs", "/api/v1/docs", "/api/v1/ws/docs"]


@pytest.mark.parametrize("path", PAGES)
def test_A05_pages_load_everything_from_this_server(app: ModularApp, path: str) -> None:
    reply = call(app, path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    links = Links(reply.text)
    assert links.loaded
    assert "://" not in reply.text
    assert not links.code, "no inline script"
    for link in [*links.loaded, *links.leads]:
        assert call(app, link.partition("#")[0] or path).status_code == 200, link


@pytest.mark.parametrize("path", PAGES)
def test_A05_pages_may_load_nothing_from_elsewhere(app: ModularApp, path: str) -> None:
    policy = call(app, path).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|\*|unsafe-eval|script-src (?!'self';)", policy)
    if path == "/api/v1/ws/docs":
        assert "script" not in policy, "it needs none"
        assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/api/v1/core/docs", "/api/v1/docs"])
def test_A05_the_page_names_its_document(app: ModularApp, path: str) -> None:
    url = f"{path.removesuffix('/docs')}/openapi.json"
    assert f'data-url="{url}"' in call(app, path).text
    assert call(app, url).json()["openapi"] == "3.1.0"


def test_A05_swagger_ui_asks_no_server_elsewhere_for_its_opinion(app: ModularApp) -> None:
    script = call(app, "/api/v1/docs/swagger-init.js").text
    assert "validatorUrl: null" in script
    assert "://" not in script


@pytest.mark.parametrize("asset", ASSETS)
@pytest.mark.parametrize("root", ["/api/v1", "/api/v1/core"])
def test_A05_assets_are_kept_for_ever_under_an_address_that_names_their_content(
    app: ModularApp, root: str, asset: str
) -> None:
    links = Links(call(app, f"{root}/docs").text).loaded + Links(call(app, "/api/v1/ws/docs").text).loaded
    named = next(link for link in links if f"/{asset}?" in link).partition("?")[2]
    kept = call(app, f"{root}/docs/{asset}?{named}")
    assert "immutable" in kept.headers["cache-control"]
    assert len(kept.content) > 100
    for query in ("", "?v=", "?v=0"):
        assert call(app, f"{root}/docs/{asset}{query}").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["x.js", "..%2f__init__.py", "__init__.py", "%2e%2e", "swagger-ui.css.map", "%00"])
def test_A05_nothing_else_is_served_beside_them(app: ModularApp, name: str) -> None:
    reply = call(app, f"/api/v1/docs/{name}")
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/openapi.json", "/api/v1/core/openapi.json", "/api/v1/docs/docs.css"])
def test_A05_who_has_it_already_gets_304(app: ModularApp, path: str) -> None:
    first = call(app, path)
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = call(app, path, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    for unknown in ('"other"', "", etag.strip('"')):
        assert call(app, path, headers={"if-none-match": unknown}).content == first.content


def test_A05_pages_take_no_other_method(app: ModularApp) -> None:
    reply = call(app, "/api/v1/docs", "POST")
    assert (reply.status_code, reply.headers["content-type"]) == (405, "application/problem+json")


def test_A04_without_websockets_a_module_has_no_asyncapi(app: ModularApp) -> None:
    assert call(app, "/api/v1/core/ws/asyncapi.json").status_code == 404
    assert call(app, "/api/v1/core/ws/docs").status_code == 404
    assert call(app, "/api/v1/ws/asyncapi.json").json()["channels"] == {}
    assert "There are no WebSocket routes." in call(app, "/api/v1/ws/docs").text


def document(**changes: Any) -> Json:
    found = asyncapi_document(
        title="broker v1", version="v1", description="A broker.", address="/api/v1/broker/ws", routers=ROUTES
    )
    return {**found, **changes}


def test_A05_the_page_shows_every_channel_operation_message_and_schema() -> None:
    page, shown = asyncapi_page(document(), "/api/v1/broker"), document()
    for name in (*shown["channels"], *shown["operations"], *shown["components"]["schemas"]):
        assert name in page
    for name in shown["components"]["messages"]:
        assert f"<strong>{name}</strong>" in page
    assert "conflate" in page
    assert "/api/v1/broker/ws" in page


def test_A05_every_link_of_the_page_leads_to_a_place_on_it() -> None:
    links = Links(asyncapi_page(document(), "/api/v1/broker"))
    inside = {link.removeprefix("#") for link in links.leads if link.startswith("#")}
    assert inside
    assert inside <= links.anchors


def test_A05_what_a_document_says_is_text_never_markup() -> None:
    page = asyncapi_page(document(), "/api/v1/broker")
    assert "Newest &lt;b&gt;quotes&lt;/b&gt;." in page
    evil = '"><script>alert(1)</script>'
    found = document(info={"title": evil, "version": evil, "description": evil})
    assert evil not in asyncapi_page(found, "/api/v1/broker")


def test_A05_the_page_of_a_file_is_that_of_the_running_code() -> None:
    assert asyncapi_page(json.loads(render_json(document())), "/api") == asyncapi_page(document(), "/api")


def test_A05_a_server_that_shows_no_page_imports_no_renderer() -> None:
    program = (
        "import sys; from trading_api.app_factory import create_app; from trading_api.settings import *; "
        "create_app(Settings((ModuleChoice('core'),))); sys.exit('jinja2' in sys.modules)"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "backend" / "src")}
    assert subprocess.run([sys.executable, "-c", program], env=environ, timeout=60, check=False).returncode == 0


def test_A05_examples_are_frames_of_their_types() -> None:
    for channel in page_of(document()).channels:
        for message in (message for exchange in channel.exchanges for message in exchange.messages):
            frame = json.loads(message.example)
            assert frame["type"] == message.name
            assert "payload" in frame


def examples_of(found: Json) -> dict[tuple[str, str], Json]:
    """The frames that the page of `found` shows, by operation and message."""
    return {
        (exchange.operation, message.name): json.loads(message.example)
        for channel in page_of(found).channels
        for exchange in channel.exchanges
        for message in exchange.messages
    }


@pytest.mark.parametrize(("route", "name"), [("quotes", "Quotes"), ("broker-assets", "BrokerAssets")])
def test_W02_the_examples_of_a_page_are_one_conversation(route: str, name: str) -> None:
    shown, topic = examples_of(document()), f'{route}:{{"symbol":"AAPL"}}'
    for verb, said in (("subscribe", "Subscribed"), ("unsubscribe", "Unsubscribed")):
        asked = shown[f"{verb}{name}", f"{route}.{verb}"]
        assert asked == {"type": f"{route}.{verb}", "payload": {"symbol": "AAPL"}}
        reply = shown[f"{verb}{name}", f"{route}.{verb}.response"]
        assert reply["payload"] == {"status": "ok", "message": said, "topic": topic}
        assert shown[f"{verb}{name}", "error"]["payload"]["request_type"] == f"{route}.{verb}"
    assert shown[f"update{name}", f"{route}.update"]["payload"]["topic"] == topic


def test_W02_the_merged_page_shows_the_topics_of_the_wire() -> None:
    from trading_api.shared.specs.merge import merge_asyncapi

    merged = merge_asyncapi({"a": document(), "b": document()}, version="v1", base_url="/api")
    shown = examples_of(merged)
    assert shown["a_subscribeOrders", "orders.subscribe.response"]["payload"]["topic"] == 'orders:{"symbol":"AAPL"}'
    assert shown["b_unsubscribeOrders", "error"]["payload"]["request_type"] == "orders.unsubscribe"
    assert [name for name in merged["components"]["messages"] if "error" in name] == ["error"]


def test_A05_a_document_without_examples_gets_some_of_its_schemas() -> None:
    found = document()
    for message in found["components"]["messages"].values():
        del message["examples"]
    assert examples_of(found)["subscribeOrders", "orders.subscribe"]["payload"] == {"symbol": "AAPL"}
    assert "payload" in examples_of(found)["subscribeOrders", "error"]


def test_A05_the_page_says_what_an_update_carries() -> None:
    schemas = {schema.name: schema for schema in page_of(document()).schemas}
    fields = {field.name: field for field in schemas["QuotesUpdateFrame"].fields}
    assert list(fields) == ["type", "payload", "payload.payload", "payload.topic"]
    assert [(part.text, part.anchor) for part in fields["payload.payload"].type] == [("Pair_Leg_", "schema-Pair_Leg_")]
    assert fields["payload.topic"].required
    assert 'href="#schema-Pair_Leg_"' in asyncapi_page(document(), "/api")


def test_A05_objects_without_a_name_are_shown_where_they_stand() -> None:
    leaf = {"type": "object", "properties": {"x": {"type": "integer", "minimum": 1}}, "required": ["x"]}
    outer = {"type": "object", "properties": {"many": {"type": "array", "items": leaf}, "one": leaf}}
    found = document(components={**document()["components"], "schemas": {"Outer": outer}}, channels={})
    (schema,) = page_of(found).schemas
    shown = {field.name: (field.required, field.bounds) for field in schema.fields}
    assert shown == {"many": (False, ""), "many[].x": (True, "≥ 1"), "one": (False, ""), "one.x": (True, "≥ 1")}


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/core/docs"])
def test_A05_the_page_is_at_its_address_with_a_slash_too(app: ModularApp, path: str) -> None:
    assert call(app, f"{path}/").content == call(app, path).content
    assert call(app, f"{path}//").status_code == 404


def test_A05_an_example_of_a_schema_that_contains_itself_ends() -> None:
    node = {"properties": {"next": {"$ref": "#/components/schemas/Node"}}, "required": ["next"]}
    assert "None" in str(example({"$ref": "#/components/schemas/Node"}, {"Node": node}))


def test_A05_merged_pages_render_for_two_modules_with_one_name() -> None:
    from trading_api.shared.specs.merge import merge_asyncapi

    merged = merge_asyncapi({"a": document(), "b": document()}, version="v1", base_url="/api")
    assert unresolved(merged) == []
    links = Links(asyncapi_page(merged, "/api/v1"))
    assert {"channel-a_orders", "channel-b_orders"} <= links.anchors
