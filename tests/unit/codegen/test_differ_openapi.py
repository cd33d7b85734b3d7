"""Endpoints, parameters, bodies and answers (G03)."""

from copy import deepcopy
from typing import Any

import pytest
from support.contracts_small import Json, model, openapi

from trading_api.codegen.differ import Change, diff_openapi

TEXT = {"type": "string"}


def parameter(name: str, where: str = "query", **more: object) -> Json:
    return {"name": name, "in": where, "schema": TEXT, **more}


def with_parameters(*parameters: Json) -> Json:
    return openapi(parameters=list(parameters))


def with_responses(**responses: Json) -> Json:
    made = openapi()
    made["paths"]["/orders"]["post"]["responses"] = {
        status.removeprefix("s"): body for status, body in responses.items()
    }
    return made


def moved(document: Json, path: str) -> Json:
    made = deepcopy(document)
    made["paths"] = {path: made["paths"]["/orders"]}
    return made


DONE: Json = {"description": "done"}
CASES: list[tuple[Json, Json, list[tuple[str, bool]]]] = [
    (openapi(), moved(openapi(), "/trades"), [("endpoint.removed", True), ("endpoint.added", False)]),
    (openapi(), openapi(operationId="put"), [("operation_id.changed", True)]),
    (openapi(), openapi(deprecated=True), [("deprecated.added", False)]),
    (openapi(), openapi(security=[{"key": []}]), [("security.changed", True)]),
    (openapi(security=[{"key": []}]), openapi(), [("security.changed", False)]),
    (openapi(), {**openapi(), "servers": [{"url": "/other"}]}, [("address.changed", True)]),
    (with_parameters(), with_parameters(parameter("a")), [("parameter.added", False)]),
    (with_parameters(), with_parameters(parameter("a", required=True)), [("parameter.added", True)]),
    (with_parameters(parameter("a")), with_parameters(), [("parameter.removed", True)]),
    (with_parameters(parameter("a")), with_parameters(parameter("a", required=True)), [("required.added", True)]),
    (with_parameters(parameter("a", required=True)), with_parameters(parameter("a")), [("required.removed", False)]),
    (
        with_parameters(parameter("a")),
        with_parameters(parameter("a", "header")),
        [("parameter.added", False), ("parameter.removed", True)],
    ),
    (with_parameters(parameter("X-A", "header")), with_parameters(parameter("x-a", "header")), []),
    (
        with_parameters(parameter("a")),
        with_parameters(parameter("a", explode=False)),
        [("parameter.style.changed", True)],
    ),
    (
        with_parameters(parameter("a")),
        with_parameters(parameter("a", schema={"type": "integer"})),
        [("type.changed", True)],
    ),
    (openapi(), openapi(request=TEXT), [("body.added", True)]),
    (openapi(request=TEXT), openapi(), [("body.removed", True)]),
    (with_responses(s200=DONE), with_responses(s200=DONE, s404=DONE), [("response.added", False)]),
    (with_responses(s200=DONE), with_responses(s201=DONE), [("response.removed", True), ("response.added", True)]),
    (
        with_responses(s200={"content": {"text/csv": {}}}),
        with_responses(s200={"content": {"text/plain": {}}}),
        [("content.added", False), ("content.removed", True)],
    ),
    (
        with_responses(s200={"headers": {"ETag": {"schema": TEXT}}}),
        with_responses(s200=DONE),
        [("header.removed", True)],
    ),
]


def kinds(changes: list[Change]) -> list[tuple[str, bool]]:
    return [(change.kind, change.breaking) for change in changes]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_G03_each_part_of_an_operation(old: Json, new: Json, expected: list[tuple[str, bool]]) -> None:
    assert kinds(diff_openapi(old, new)) == expected


def test_G03_the_name_of_a_path_parameter_is_not_on_the_wire() -> None:
    def document(name: str, kind: str = "string") -> Json:
        one = {"name": name, "in": "path", "required": True, "schema": {"type": kind}}
        return moved(with_parameters(one), f"/orders/{{{name}}}")

    assert diff_openapi(document("id"), document("orderId")) == []
    assert kinds(diff_openapi(document("id"), document("orderId", "integer"))) == [("type.changed", True)]


def test_G03_parameters_of_the_path_and_references_are_followed() -> None:
    was: dict[str, Any] = openapi()
    was["paths"]["/orders"]["parameters"] = [{"$ref": "#/components/parameters/Page"}]
    was["components"]["parameters"] = {"Page": parameter("page")}
    now = deepcopy(was)
    now["components"]["parameters"]["Page"]["required"] = True
    (change,) = diff_openapi(was, now)
    assert change.line() == "POST /orders: query parameter page: required now [breaking]"


def test_G03_the_line_names_endpoint_answer_and_field() -> None:
    was, now = (openapi(response=model(volume={"type": kind})) for kind in ("number", "string"))
    (change,) = diff_openapi(was, now)
    assert change.line() == "POST /orders: response 200: volume: number -> string [breaking]"
    assert change.to_json() == {
        "kind": "type.changed",
        "where": "POST /orders: response 200: volume",
        "what": "number -> string",
        "direction": "response",
        "breaking": True,
        "also": 0,
    }


def test_G03_models_come_and_go() -> None:
    changes = diff_openapi(openapi(schemas={"A": model(a=TEXT)}), openapi(schemas={"B": model(b=TEXT)}))
    assert [change.line() for change in changes] == ["models: A: removed", "models: B: added"]
