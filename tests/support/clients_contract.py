"""A contract with one of everything that a client must cope with, and the client rendered from it."""

import copy
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from trading_api.app_factory import create_app
from trading_api.codegen.clients import ClientSource, render_index, render_module_client
from trading_api.settings import Settings
from trading_api.shared.specs.files import module_specs

Json = dict[str, Any]
PREFIX = "/api/v1/sink"


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def query(name: str, schema: Json, **more: Any) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema, **more}


def json_answer(schema: Json) -> Json:
    return {"description": "Fine.", "content": {"application/json": {"schema": schema}}}


def json_request(schema: Json, *, required: bool = True) -> Json:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


DECIMAL = {"type": "number", "format": "decimal"}
TEXT = {"type": "string"}
PROBLEM = {"description": "No such order.", "content": {"application/problem+json": {"schema": ref("Problem")}}}

SCHEMAS: Json = {
    "Side": {"type": "integer", "enum": [1, -1], "x-enum-varnames": ["Buy", "Sell"], "description": "Which side."},
    "Colour": {"type": "string", "enum": ["red", "index", "title"]},
    "Cat": {
        "type": "object",
        "required": ["kind", "lives"],
        "properties": {"kind": {"type": "string", "const": "cat"}, "lives": {"type": "integer", "minimum": 0}},
    },
    "Dog": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string", "const": "dog"}, "class": TEXT},
    },
    "Pet": {
        "oneOf": [ref("Cat"), ref("Dog")],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
        },
    },
    "Order-Input": {
        "type": "object",
        "description": "An order, as it is placed.",
        "required": ["qty", "side"],
        "properties": {
            "qty": {**DECIMAL, "description": 'How many, "roughly".\n\nA \\ and """ and "quotes"', "examples": [1]},
            "side": ref("Side"),
            "limitPrice": nullable(DECIMAL),
            "from": nullable({"type": "string", "format": "date"}),
            "at": {"type": "string", "format": "date-time"},
            "pets": {"type": "array", "items": ref("Pet")},
            "self": nullable(ref("Order-Input")),
            "free": {"description": 'Anything, "also null"'},
            "colour": {**ref("Colour"), "default": "red"},
        },
    },
    "Order": {
        "type": "object",
        "required": ["id", "qty", "side", "colour", "format", "note", "time"],
        "properties": {
            "id": TEXT,
            "qty": DECIMAL,
            "side": ref("Side"),
            "colour": ref("Colour"),
            "format": {"type": "string", "const": "price"},
            "note": nullable(TEXT),
            "time": {"type": "string", "format": "date-time"},
            "email": {"type": "string", "format": "email"},
            "pet": ref("Pet"),
            "mixed": {"enum": [1, "a", None]},
            "old": {"type": "string", "deprecated": True},
            "pair": {"type": "array", "prefixItems": [TEXT, {"type": "integer"}], "minItems": 2, "maxItems": 2},
            "limits": {"type": "object", "additionalProperties": DECIMAL},
            "on": {"type": "string", "format": "date"},
        },
    },
    "Tree": {"anyOf": [TEXT, {"type": "array", "items": ref("Tree")}]},
    # Names that Python, pydantic or TypeScript has use for.
    "Field": {"type": "object", "properties": {"copy": TEXT, "model_config": TEXT, "schema": TEXT, "1st": TEXT}},
    "order": {"type": "object", "properties": {"lower": {"type": "boolean"}}},
    "Record": {"type": "object", "properties": {"x": {"type": "integer"}}},
    "Problem": {"type": "object", "properties": {"detail": TEXT, "status": {"type": "integer"}}},
}

PATHS: Json = {
    "/orders": {
        "post": {
            "operationId": "placeOrder",
            "summary": "Place Order",
            "description": 'Places an order; a "retry" is safe with a \\ key.\n\nSee `Order`.',
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "schema": nullable({**TEXT, "maxLength": 64}),
                    "description": "Makes a retry safe.",
                }
            ],
            "requestBody": json_request(ref("Order-Input")),
            "responses": {"200": json_answer(ref("Order")), "409": PROBLEM, "default": PROBLEM},
        },
        "get": {
            "operationId": "getOrders",
            "parameters": [
                query("from", nullable({"type": "integer"}), description="Seconds."),
                query("class", TEXT),
                query("tags", {"type": "array", "items": TEXT}),
                query("ids", {"type": "array", "items": {"type": "integer"}}, explode=False),
                query("colour", {"type": "string", "enum": ["red", "green"]}),
                query("side", ref("Side")),
                query("amount", nullable(DECIMAL)),
                query("since", {"type": "string", "format": "date-time"}),
                query("all", {"type": "boolean", "default": False}),
                query("headers", TEXT),
                query("limit", {"type": "integer", "default": 30}, description="At most."),
            ],
            "responses": {"200": json_answer({"type": "array", "items": ref("Order")})},
        },
    },
    "/orders/{order_id}/{class}": {
        "parameters": [{"name": "order_id", "in": "path", "required": True, "schema": TEXT}],
        "delete": {
            "operationId": "cancelOrder",
            "deprecated": True,
            "parameters": [{"name": "class", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "responses": {"204": {"description": "Gone."}, "404": PROBLEM, "503": PROBLEM},
        },
        "put": {
            "operationId": "modifyOrder",
            "parameters": [
                {"name": "class", "in": "path", "required": True, "schema": {"type": "integer"}},
                query("body", TEXT),
            ],
            "requestBody": json_request(nullable(ref("Order-Input")), required=False),
            "responses": {
                "200": json_answer({"type": "object", "properties": {"success": {"type": "boolean"}}}),
                "204": {"description": "Nothing to do."},
            },
        },
    },
    "/files": {
        "post": {
            "operationId": "upload-file",
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "properties": {
                                "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                                "more": {"type": "array", "items": {"type": "string", "format": "binary"}},
                                "note": TEXT,
                            },
                        }
                    }
                },
            },
            "responses": {"200": json_answer({"type": "integer"})},
        },
        "get": {
            "operationId": "downloadFile",
            "responses": {"200": {"description": "Bytes.", "content": {"application/octet-stream": {"schema": {}}}}},
        },
        "put": {
            "operationId": "replaceFile",
            "requestBody": {"required": True, "content": {"text/csv": {"schema": TEXT}}},
            "responses": {"200": {"description": "Text.", "content": {"text/plain": {"schema": TEXT}}}},
        },
    },
    "/login": {
        "post": {
            "operationId": "login",
            "requestBody": {
                "required": True,
                "content": {
                    "application/x-www-form-urlencoded": {
                        "schema": {"type": "object", "required": ["user"], "properties": {"user": TEXT, "pass": TEXT}}
                    }
                },
            },
            "responses": {"2XX": json_answer({"anyOf": [TEXT, {"type": "integer"}]})},
        }
    },
    "/pet": {
        "get": {"operationId": "getPet", "responses": {"200": json_answer(ref("Pet"))}},
        "post": {
            "operationId": "adopt",
            "requestBody": json_request({"type": "array", "items": ref("Pet")}),
            "responses": {"201": json_answer(nullable(ref("Tree")))},
        },
    },
}


def openapi() -> Json:
    """A copy, to be changed at will."""
    document: Json = {
        "openapi": "3.1.0",
        "info": {"title": "sink", "version": "v1"},
        "servers": [{"url": PREFIX}],
        "paths": PATHS,
        "components": {"schemas": SCHEMAS},
    }
    return copy.deepcopy(document)


def frame(type_: str, payload: Json, **more: Json) -> Json:
    properties = {"type": {"const": type_, "type": "string"}, "payload": payload, **more}
    return {"payload": {"type": "object", "properties": properties, "required": ["type", "payload"]}, "name": type_}


def channel(
    route: str, request: Json, data: Json, *, policy: str = "disconnect", durable: bool = False, key: str | None = None
) -> Json:
    update = {"type": "object", "properties": {"topic": TEXT, "payload": data}, "required": ["topic", "payload"]}
    messages = {
        "subscribe": frame(f"{route}.subscribe", request),
        "update": frame(f"{route}.update", update),
    }
    return {
        "address": f"{PREFIX}/ws",
        "messages": messages,
        "description": f"What happens to {route}.",
        "x-back-pressure": policy,
        "x-durable": durable,
        **({"x-conflate-key": key} if key else {}),
    }


def asyncapi() -> Json:
    account = {"type": "object", "required": ["accountId"], "properties": {"accountId": TEXT}}
    quote = {"type": "object", "required": ["symbol"], "properties": {"symbol": TEXT, "price": DECIMAL}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "sink", "version": "v1"},
        "channels": {
            "orders": channel("orders", ref("Account"), ref("Order"), durable=True),
            "quotes": channel("quotes", ref("Account"), ref("Quote"), policy="conflate"),
            "tickers": channel("tickers", ref("Account"), ref("Quote"), policy="conflate", key="/symbol"),
            "pet-walks": channel("pet-walks", ref("Account"), {"anyOf": [ref("Quote"), TEXT]}),
        },
        "components": {
            "schemas": {
                "Account": account,
                "Quote": quote,
                # Another thing than the one that REST calls by this name.
                "Order": {"type": "object", "required": ["id"], "properties": {"id": TEXT, "qty": DECIMAL}},
                "Unused": {"type": "object"},
            }
        },
    }


def sink(**changes: Any) -> ClientSource:
    values: Json = {"module": "sink", "version": "v1", "openapi": openapi(), "asyncapi": asyncapi(), **changes}
    return ClientSource(**values)


def write_client(folder: Path, *sources: ClientSource) -> Path:
    """Write the clients of `sources`, their index and runtime as the package `folder`."""
    files = render_index(sources, package=".")
    for source in sources:
        files.update(render_module_client(source, runtime=".runtime"))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@contextmanager
def imported(folder: Path) -> Iterator[ModuleType]:
    """The package in `folder`, importable while the block runs."""
    sys.path.insert(0, str(folder.parent))
    try:
        importlib.invalidate_caches()
        yield importlib.import_module(folder.name)
    finally:
        sys.path.remove(str(folder.parent))
        for name in [name for name in sys.modules if name.split(".")[0] == folder.name]:
            del sys.modules[name]


def live_sources() -> tuple[ClientSource, ...]:
    """The contracts of the modules as they are."""
    found = []
    for app in create_app(Settings()).module_apps:
        specs = module_specs(app)
        found.append(ClientSource(app.module.name, app.version, specs["openapi"], specs.get("asyncapi")))
    return tuple(found)
