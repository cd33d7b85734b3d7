"""What the generator of clients makes of contracts: names, files, and errors that name the place (G02, G04, G07)."""

import ast
import copy
import random
from types import ModuleType
from typing import Any

import pytest
from support.clients_contract import TEXT, asyncapi, json_answer, live_sources, openapi, query, ref, sink
from support.program_blocks import python_blocks

from trading_api.codegen.clients import (
    ClientSource,
    ClientSourceError,
    render_index,
    render_module_client,
    render_package,
)
from trading_api.codegen.clients.naming import class_names, client_class_name, pascal_case, snake_case
from trading_api.codegen.clients.tolerant import tolerant

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("wire", "python"),
    [
        ("getCurrentAPIVersion", "get_current_api_version"),
        ("getAPIVersions", "get_api_versions"),
        ("leverageInfo", "leverage_info"),
        ("Idempotency-Key", "idempotency_key"),
        ("broker-connection", "broker_connection"),
        ("from_time", "from_time"),
        ("X-Request-ID", "x_request_id"),
        ("1st", "n1_st"),
        ("€", "value"),
    ],
)
def test_G04_names_are_those_of_python(wire: str, python: str) -> None:
    assert snake_case(wire) == python
    assert python.isidentifier()


def test_G04_class_names_are_their_own_whatever_the_order() -> None:
    names = ["Order", "order", "Order-Input", "OrderInput", "Field", "str", "Exception", "2nd", "a.b"]
    found = class_names(names)
    assert len(set(found.values())) == len(names)
    assert found["Order"] == "Order"
    assert found["OrderInput"] == "OrderInput"
    assert found["Field"] == "FieldModel"
    assert found["Exception"] == "ExceptionModel"
    for seed in range(10):
        shuffled = random.Random(seed).sample(names, len(names))
        assert dict(class_names(shuffled)) == dict(found)


def test_G02_classes_are_named_after_module_and_version() -> None:
    assert client_class_name(sink()) == "SinkClient"
    assert client_class_name(sink(module="order_book", version="v2")) == "OrderBookV2Client"
    assert pascal_case("order_book") == "OrderBook"


@pytest.mark.slow
def test_G02_a_module_has_three_files_and_they_are_the_same_each_time() -> None:
    first = render_module_client(sink(), runtime=".runtime")
    assert sorted(first) == ["sink_v1.ts", "sink_v1_client.py", "sink_v1_models.py"]
    document = openapi()
    # JSON objects have no order, but paths are told in theirs.
    document["components"]["schemas"] = dict(reversed(document["components"]["schemas"].items()))
    assert render_module_client(sink(openapi=document), runtime=".runtime") == first


def test_G02_documents_are_only_read() -> None:
    source = sink()
    before = copy.deepcopy((source.openapi, source.asyncapi))
    render_module_client(source, runtime=".runtime")
    assert (source.openapi, source.asyncapi) == before


def test_G02_the_runtime_may_be_anywhere() -> None:
    files = render_module_client(sink(), runtime="trading_api.clients.runtime")
    for name in ("sink_v1_client.py", "sink_v1_models.py"):
        modules = {node.module for node in ast.walk(ast.parse(files[name])) if isinstance(node, ast.ImportFrom)}
        assert "trading_api.clients.runtime" in modules
        assert "runtime" not in modules


def test_G02_a_module_without_websockets_has_no_streams() -> None:
    files = render_module_client(sink(asyncapi=None), runtime=".runtime")
    assert "class SinkClient(AsyncRestClient):" in files["sink_v1_client.py"]
    assert "ClientFrame" not in files["sink_v1.ts"]


def test_G02_a_module_without_components_has_a_client() -> None:
    paths = {"/ping": {"get": {"operationId": "ping", "responses": {"204": {"description": "Here."}}}}}
    files = render_module_client(ClientSource("tiny", "v1", {"paths": paths}), runtime=".runtime")
    assert "async def ping(self) -> None:" in files["tiny_v1_client.py"]
    assert 'API_BASE = "/api"' in files["tiny_v1_client.py"]
    assert 'PREFIX = "/v1/tiny"' in files["tiny_v1_client.py"]


def broken(path: str, operation: Json) -> ClientSource:
    document = openapi()
    document["paths"] = {path: operation}
    return sink(openapi=document)


def get(**more: Any) -> Json:
    return {"get": {"operationId": "getIt", "responses": {"204": {"description": ""}}, **more}}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (broken("/a", get(parameters=[{"name": "c", "in": "cookie", "schema": TEXT}])), "GET /a: parameter c: cookies"),
        (broken("/a", get(parameters=[query("q", TEXT, style="deepObject")])), "parameter q: style 'deepObject'"),
        (broken("/a", get(parameters=[query("q", {"type": "object"})])), "parameter q: style"),
        (broken("/a", get(parameters=[query("q", {"type": "strange"})])), "parameter q: unknown type 'strange'"),
        (broken("/a", get(responses={"200": json_answer(ref("Nowhere"))})), "Nowhere: this reference leads nowhere"),
        (broken("/a", get(parameters=[{"$ref": "#/x"}])), "#/x: this reference leads nowhere"),
        (broken("/a", get(requestBody={"content": {}})), "GET /a: there is no media type"),
        (
            broken("/a", {**get(), "put": {"operationId": "get-it", "responses": {"204": {"description": ""}}}}),
            "two things would be called 'get_it'",
        ),
    ],
)
def test_G07_a_contract_that_no_client_can_be_made_from_names_the_place(source: ClientSource, what: str) -> None:
    with pytest.raises(ClientSourceError) as caught:
        render_module_client(source, runtime=".runtime")
    assert what in str(caught.value)


def test_G07_a_channel_without_its_messages_is_named() -> None:
    document = asyncapi()
    del document["channels"]["quotes"]["messages"]["update"]
    with pytest.raises(ClientSourceError, match=r"channel quotes: there is no message named 'quotes\.update'"):
        render_module_client(sink(asyncapi=document), runtime=".runtime")


def test_G04_a_stream_that_is_called_like_a_method_gets_another_name() -> None:
    document = openapi()
    document["paths"]["/pet"]["get"]["operationId"] = "orders"
    text = render_module_client(sink(openapi=document), runtime=".runtime")["sink_v1_client.py"]
    assert "async def orders(self)" in text
    assert "def orders_(self) -> DurableStream" in text


def test_G04_constants_are_open_unless_they_tell_branches_apart() -> None:
    schemas: Json = {
        "Cat": {"type": "object", "properties": {"kind": {"const": "cat", "type": "string"}}},
        "Dog": {"type": "object", "properties": {"kind": {"const": "dog", "type": "string"}}},
        "Info": {"type": "object", "properties": {"format": {"const": "price", "type": "string"}}},
        "Pet": {"anyOf": [ref("Cat"), ref("Dog")]},
        "Odd": {"type": "object", "properties": {"const": {"enum": [1.5, 2]}, "enum": {"const": True}}},
    }
    found = tolerant(schemas, ())
    assert found["Cat"] == schemas["Cat"]
    assert found["Info"]["properties"]["format"] == {"type": "string", "enum": ["price"]}
    assert found["Odd"]["properties"]["const"] == {"anyOf": [{"type": "integer", "enum": [2]}, {"type": "number"}]}
    assert found["Odd"]["properties"]["enum"] == {"const": True}


def test_G04_only_what_a_server_sends_may_have_more_fields() -> None:
    closed: Json = {"type": "object", "properties": {"title": {"const": 1}}, "additionalProperties": False}
    found = tolerant({"Sent": closed, "Asked": closed}, {"Sent"})
    assert "additionalProperties" not in found["Sent"]
    assert found["Asked"]["additionalProperties"] is False
    assert found["Sent"]["properties"] == {"title": {"type": "integer", "enum": [1]}}


def test_G02_the_index_imports_a_client_when_it_is_asked_for(sink_package: ModuleType) -> None:
    assert sink_package.__all__ == sorted(sink_package.__all__)
    for name in sink_package.__all__:
        assert getattr(sink_package, name).__name__.rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="has no attribute 'BrokerClient'"):
        _ = sink_package.BrokerClient
    assert set(dir(sink_package)) == set(sink_package.__all__)


def test_G02_the_index_of_the_backend_names_the_folders_of_its_modules() -> None:
    files = render_index([sink(version="v2"), sink()])
    assert {"__init__.py", "py.typed", "runtime/__init__.py", "runtime/rest.py"} <= files.keys()
    text = files["__init__.py"]
    assert '"SinkV2SyncClient": "trading_api.modules.sink.client_generated.sink_v2_client"' in text
    assert text.index("sink_v1_client import") < text.index("sink_v2_client import") < text.index("from .runtime")


@pytest.mark.slow
def test_G05_a_package_holds_every_client_and_is_ready_to_build() -> None:
    files = render_package([sink(), sink(module="other", asyncapi=None)])
    assert {"pyproject.toml", "README.md"} <= files.keys()
    inside = {name.removeprefix("client_generated/") for name in files if name.startswith("client_generated/")}
    assert {"__init__.py", "py.typed", "sink_v1_client.py", "other_v1_models.py", "typescript/sink_v1.ts"} <= inside
    assert "`OtherSyncClient`" in files["README.md"]
    assert not any("trading_api." in text for name, text in files.items() if name.endswith(".py"))


@pytest.mark.long
@pytest.mark.slow
def test_G05_the_quick_start_of_the_package_is_a_program_with_a_stream() -> None:
    program = python_blocks(render_package(live_sources())["README.md"])
    assert len(program) == 1
    compile(program[0], "README.md", "exec")
    assert "import ApiError, BrokerClient, broker_v1_models as models" in program[0]
    assert 'models.BrokerConnectionSubscription(accountId="DEMO-ACCOUNT")' in program[0]
    assert "async with client.broker_connection.subscribe(request)" in program[0]


@pytest.mark.parametrize("sources", [[], [sink()], [sink(asyncapi=None)], [sink(openapi={}, asyncapi=None)]])
def test_G05_every_quick_start_compiles(sources: list[ClientSource]) -> None:
    """Also without a stream whose request has examples, without streams, and without anything."""
    for program in python_blocks(render_package(sources)["README.md"]):
        compile(program, "README.md", "exec")
        assert "subscribe(" not in program


def test_W06_a_conflate_key_that_is_no_pointer_is_refused() -> None:
    document = asyncapi()
    document["channels"]["tickers"]["x-conflate-key"] = "symbol"
    with pytest.raises(ClientSourceError, match=r"tickers.*'symbol' is no JSON pointer"):
        render_module_client(sink(asyncapi=document), runtime=".runtime")


def test_W06_a_client_knows_the_key_and_its_docstring_names_it() -> None:
    text = render_module_client(sink(), runtime=".runtime")["sink_v1_client.py"]
    assert 'key="/symbol"' in text
    assert text.count(", key=") == 1
    assert "A slow reader misses old updates of the same `/symbol`." in text


def test_G07_every_generated_file_says_so() -> None:
    for name, text in render_package([sink()]).items():
        if not name.endswith(("py.typed", "README.md")):
            assert "GENERATED by `make generate`; do not edit." in text.partition("\n")[0], name
