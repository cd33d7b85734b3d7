"""Merging documents: nothing lost, no reference broken, equal bytes whatever the order (A05)."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.specs_documents import ROUTES, Json, Orders, Quotes, copied, get, openapi, ref, unresolved

from trading_api.shared.specs.asyncapi import asyncapi_document
from trading_api.shared.specs.canonical import render_json
from trading_api.shared.specs.merge import merge_asyncapi, merge_openapi
from trading_api.shared.specs.operations import operations

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def merged(**documents: Json) -> Json:
    before = copied(documents)
    found = merge_openapi(documents, version="v1", base_url="/api")
    assert documents == before, "merging leaves its input alone"
    return found


def answer_of(document: Json, path: str) -> Any:
    """The schema that the operation at `path` answers with."""
    return document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


def test_A05_components_of_one_name_that_differ_are_kept_apart() -> None:
    document = merged(
        broker=openapi({"/order": get("a", ref("Order"))}, schemas={"Order": STRING}),
        datafeed=openapi({"/order": get("b", ref("Order"))}, schemas={"Order": NUMBER}),
    )
    assert document["components"]["schemas"] == {"broker_Order": STRING, "datafeed_Order": NUMBER}
    assert answer_of(document, "/api/v1/broker/order") == ref("broker_Order")
    assert answer_of(document, "/api/v1/datafeed/order") == ref("datafeed_Order")


def test_A05_components_that_are_the_same_stay_one_under_their_name() -> None:
    document = merged(
        broker=openapi({"/a": get("a", ref("Problem"))}, schemas={"Problem": {"type": "object", "title": "x"}}),
        datafeed=openapi({"/b": get("b", ref("Problem"))}, schemas={"Problem": {"title": "x", "type": "object"}}),
    )
    assert list(document["components"]["schemas"]) == ["Problem"]


def test_A05_equal_text_that_refers_to_different_things_is_not_the_same() -> None:
    page = {"type": "array", "items": ref("Order")}
    outer = {"type": "object", "properties": {"page": ref("Page")}}
    document = merged(
        broker=openapi({"/a": get("a", ref("Outer"))}, schemas={"Outer": outer, "Page": page, "Order": STRING}),
        datafeed=openapi({"/b": get("b", ref("Outer"))}, schemas={"Outer": outer, "Page": page, "Order": NUMBER}),
    )
    assert len(document["components"]["schemas"]) == 6
    assert document["components"]["schemas"]["datafeed_Page"]["items"] == ref("datafeed_Order")
    assert document["components"]["schemas"]["broker_Outer"]["properties"]["page"] == ref("broker_Page")


def test_A05_true_is_not_one() -> None:
    document = merged(
        a=openapi({}, schemas={"Flag": {"default": True}}), b=openapi({}, schemas={"Flag": {"default": 1}})
    )
    assert set(document["components"]["schemas"]) == {"a_Flag", "b_Flag"}


def test_A05_discriminators_follow_their_schemas() -> None:
    def union(mapping: Json) -> Json:
        return {"oneOf": [ref("Cash")], "discriminator": {"propertyName": "kind", "mapping": mapping}}

    documents = {
        "a": openapi({"/x": get("a", union({"cash": "#/components/schemas/Cash"}))}, schemas={"Cash": STRING}),
        "b": openapi({"/x": get("b", union({"cash": "Cash"}))}, schemas={"Cash": NUMBER}),
    }
    document = merged(**documents)
    assert answer_of(document, "/api/v1/a/x")["discriminator"]["mapping"] == {"cash": "#/components/schemas/a_Cash"}
    assert answer_of(document, "/api/v1/b/x")["discriminator"]["mapping"] == {"cash": "b_Cash"}


def test_A05_a_namespaced_name_takes_nobody_elses() -> None:
    document = merged(
        a=openapi({"/x": get("p", ref("b_C"))}, schemas={"b_C": STRING, "C": STRING}),
        a_b=openapi({"/x": get("q", ref("C"))}, schemas={"C": NUMBER, "b_C": NUMBER, "a_C": STRING}),
    )
    schemas = document["components"]["schemas"]
    assert len(schemas) == 5
    assert unresolved(document) == []
    of = {path: schemas[answer_of(document, path)["$ref"].rpartition("/")[2]] for path in document["paths"]}
    assert of == {"/api/v1/a/x": STRING, "/api/v1/a_b/x": NUMBER}


def test_A05_operation_ids_stay_unique_and_change_only_where_they_must() -> None:
    document = merged(
        broker=openapi({"/health": get("getHealth", STRING), "/account": get("getAccount", STRING)}),
        core=openapi({"/health": get("getHealth", STRING)}),
    )
    assert [operation["operationId"] for operation in operations(document)] == [
        "broker_getHealth",
        "getAccount",
        "core_getHealth",
    ]


def test_A05_links_follow_their_operations_and_paths() -> None:
    item = get("getHealth", STRING)
    item["get"]["responses"]["200"]["links"] = {"again": {"operationId": "getHealth"}}
    document = merged(a=openapi({"/health": item, "/x": {"$ref": "#/paths/~1health"}}), b=openapi({"/health": item}))
    link = document["paths"]["/api/v1/b/health"]["get"]["responses"]["200"]["links"]["again"]
    assert link == {"operationId": "b_getHealth"}
    assert document["paths"]["/api/v1/a/x"] == {"$ref": "#/paths/~1api~1v1~1a~1health"}


def test_A05_what_a_module_demands_of_all_its_operations_stays_its_own() -> None:
    secured = openapi({"/x": get("a", STRING)}, securitySchemes={"key": {"type": "http", "scheme": "bearer"}})
    secured["security"] = [{"key": []}]
    other = openapi({"/x": get("b", STRING)}, securitySchemes={"key": {"type": "http", "scheme": "basic"}})
    document = merged(a=secured, b=other)
    assert document["security"] == []
    assert document["paths"]["/api/v1/a/x"]["get"]["security"] == [{"a_key": []}]
    assert "security" not in document["paths"]["/api/v1/b/x"]["get"]


def test_A05_data_that_looks_like_a_reference_is_left_alone() -> None:
    data = {"$ref": "#/components/schemas/Order"}
    schema = {"type": "object", "examples": [data], "default": data, "const": data, "properties": {"default": data}}
    documents = {
        "a": openapi({"/x": get("a", schema)}, schemas={"Order": STRING}),
        "b": openapi({"/x": get("b", schema)}, schemas={"Order": NUMBER}),
    }
    found = answer_of(merged(**documents), "/api/v1/a/x")
    assert (found["examples"], found["default"], found["const"]) == ([data], data, data)
    assert found["properties"]["default"] == ref("a_Order"), "a property may bear any name"


def test_A05_no_modules_at_all() -> None:
    OpenAPIV31SpecValidator(merged()).validate()


@pytest.mark.parametrize("base_url", ["", "/api", "/trade/api"])
def test_A05_paths_have_the_whole_prefix(base_url: str) -> None:
    documents = {"core": openapi({"/health": get("h", STRING)})}
    document = merge_openapi(documents, version="v2", base_url=base_url)
    assert list(document["paths"]) == [f"{base_url}/v2/core/health"]
    assert document["servers"] == [{"url": "/"}]


# Names are few, so that they collide, and some look like those that merging makes.
NAMES = st.sampled_from(["A", "B", "a_A", "b_A", "a__A"])
MODULES = st.sampled_from(["a", "b", "a_b", "c"])


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """An OpenAPI document whose schemas refer to each other."""
    names = sorted(draw(st.sets(NAMES, min_size=1)))
    member = st.sampled_from([STRING, NUMBER, *(ref(name) for name in names)])
    schemas = {name: {"type": "object", "properties": {"of": draw(member)}} for name in names}
    ids = draw(st.sets(st.sampled_from(["x", "y", "a_x"]), min_size=1))
    return openapi({f"/{id_}": get(id_, draw(member)) for id_ in sorted(ids)}, schemas=schemas)


def meaning(schema: Any, document: Json, depth: int = 4) -> Any:
    """What a schema says, references followed: names do not count."""
    if not isinstance(schema, dict) or depth == 0:
        return schema if depth else None
    if "$ref" in schema:
        return meaning(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, depth - 1)
    return {key: meaning(value, document, depth) for key, value in schema.items()}


@given(parts=st.dictionaries(MODULES, documents()))
def test_A05_merging_keeps_every_meaning_and_breaks_no_reference(parts: dict[str, Json]) -> None:
    document = merged(**parts)
    assert unresolved(document) == []
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(set(ids)) == len(ids) == sum(len(part["paths"]) for part in parts.values())
    for module, part in parts.items():
        for path in part["paths"]:
            found = answer_of(document, f"/api/v1/{module}{path}")
            assert meaning(found, document) == meaning(answer_of(part, path), part)


@given(parts=st.dictionaries(MODULES, documents(), min_size=1), seed=st.randoms())
def test_A05_the_order_changes_no_byte(parts: dict[str, Json], seed: Any) -> None:
    order = list(parts)
    seed.shuffle(order)
    assert render_json(merged(**{name: parts[name] for name in order})) == render_json(merged(**parts))


@given(document=documents())
def test_A05_merging_one_document_changes_only_prefixes(document: Json) -> None:
    found = merged(a=document)
    assert found["components"] == document["components"]
    assert found["paths"] == {f"/api/v1/a{path}": item for path, item in document["paths"].items()}


def asyncapi(module: str, *routes: Any) -> Json:
    address = f"/api/v1/{module}/ws"
    return asyncapi_document(title=module, version="v1", description="", address=address, routers=routes)


def test_A05_channels_keep_their_names_and_get_the_address_of_the_deployment() -> None:
    parts = {"broker": asyncapi("broker", Orders), "datafeed": asyncapi("datafeed", Quotes)}
    document = merge_asyncapi(parts, version="v1", base_url="/trade")
    addresses = {name: channel["address"] for name, channel in document["channels"].items()}
    assert addresses == {"orders": "/trade/v1/broker/ws", "quotes": "/trade/v1/datafeed/ws"}
    assert set(document["operations"]) == {
        f"{verb}{name}" for verb in ("subscribe", "unsubscribe", "update") for name in ("Orders", "Quotes")
    }
    assert "error" in document["components"]["messages"], "what is the same stays one"
    assert unresolved(document) == []


def test_A05_two_modules_may_have_a_route_of_one_name() -> None:
    document = merge_asyncapi({m: asyncapi(m, *ROUTES) for m in ("a", "b")}, version="v1", base_url="/api")
    assert set(document["channels"]) == {f"{m}_{route.route}" for m in ("a", "b") for route in ROUTES}
    operation = document["operations"]["b_subscribeOrders"]
    assert operation["channel"] == {"$ref": "#/channels/b_orders"}
    assert operation["messages"] == [{"$ref": "#/channels/b_orders/messages/subscribe"}]
    assert unresolved(document) == []


def test_A05_merged_channels_do_not_depend_on_the_order() -> None:
    parts = {"c": asyncapi("c", Quotes, Orders), "a": asyncapi("a", Orders), "b": asyncapi("b", Quotes)}
    texts = {
        render_json(merge_asyncapi({m: parts[m] for m in order}, version="v1", base_url="/api"))
        for order in itertools.permutations(parts)
    }
    assert len(texts) == 1
