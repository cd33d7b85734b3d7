"""What a change of a schema is, and whom it breaks: in a request, in a response (G03)."""

import pytest
from support.contracts_small import Json, model, openapi, ref

from trading_api.codegen.differ import diff_openapi

TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
NULL = {"type": "null"}

# old, new, (kind, what), breaks a request, breaks a response
RULES = [
    (WHOLE, NUMBER, "type.changed", "integer -> number", False, True),
    (NUMBER, WHOLE, "type.changed", "number -> integer", True, False),
    (NUMBER, TEXT, "type.changed", "number -> string", True, True),
    ({}, TEXT, "type.changed", "any -> string", True, False),
    (TEXT, {}, "type.changed", "string -> any", False, True),
    ({}, {"anyOf": [TEXT, WHOLE]}, "type.changed", "any -> union", True, False),
    (TEXT, {"anyOf": [TEXT, NULL]}, "null.added", "may be null now", False, True),
    ({"type": ["string", "null"]}, TEXT, "null.removed", "may not be null any more", True, False),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, "enum.value.removed", 'enum value "b" removed', True, False),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, "enum.value.added", 'enum value "b" added', False, True),
    (TEXT, {**TEXT, "enum": ["a"]}, "enum.added", 'only "a" now', True, False),
    ({**TEXT, "enum": ["a"]}, TEXT, "enum.removed", "any value now, formerly an enumeration", False, True),
    ({**TEXT, "const": "a"}, {**TEXT, "enum": ["a", "b"]}, "enum.value.added", 'enum value "b" added', False, True),
    ({**NUMBER, "minimum": 0}, {**NUMBER, "minimum": 1}, "constraint.changed", "minimum 0 -> 1", True, False),
    ({**NUMBER, "maximum": 0}, {**NUMBER, "maximum": 1}, "constraint.changed", "maximum 0 -> 1", False, True),
    (
        {**NUMBER, "minimum": 0},
        {**NUMBER, "exclusiveMinimum": 0},
        "constraint.changed",
        "minimum 0 -> 0 (excluded)",
        True,
        False,
    ),
    (TEXT, {**TEXT, "maxLength": 9}, "constraint.changed", "maxLength none -> 9", True, False),
    ({**TEXT, "minLength": 2}, TEXT, "constraint.changed", "minLength 2 -> none", False, True),
    (TEXT, {**TEXT, "pattern": "a"}, "constraint.changed", 'pattern none -> "a"', True, False),
    ({**TEXT, "pattern": "a"}, {**TEXT, "pattern": "b"}, "constraint.changed", 'pattern "a" -> "b"', True, True),
    ({**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 4}, "constraint.changed", "multipleOf 2 -> 4", True, False),
    (
        {**NUMBER, "multipleOf": 0.1},
        {**NUMBER, "multipleOf": 0.05},
        "constraint.changed",
        "multipleOf 0.1 -> 0.05",
        False,
        True,
    ),
    ({**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 3}, "constraint.changed", "multipleOf 2 -> 3", True, True),
    (TEXT, {**TEXT, "format": "date"}, "format.changed", "format none -> date", True, False),
    (
        {**TEXT, "format": "date"},
        {**TEXT, "format": "uuid"},
        "format.changed",
        "format date -> uuid",
        True,
        True,
    ),
    (NUMBER, {**NUMBER, "format": "decimal"}, "format.changed", "format none -> decimal", False, False),
    ({**TEXT, "default": "a"}, {**TEXT, "default": "b"}, "default.changed", 'default "a" -> "b"', True, False),
    (TEXT, {**TEXT, "default": "b"}, "default.added", 'default "b" added', False, False),
    (TEXT, {**TEXT, "deprecated": True}, "deprecated.added", "deprecated", False, False),
    (TEXT, {**TEXT, "contentEncoding": "base64"}, "keyword.changed", 'contentEncoding none -> "base64"', True, True),
    (TEXT, {"anyOf": [TEXT, WHOLE]}, "union.added", "integer added", False, True),
    ({"oneOf": [TEXT, WHOLE, NULL]}, {"anyOf": [TEXT, NULL]}, "union.removed", "integer removed", True, False),
    (
        {"type": "array", "items": TEXT},
        {"type": "array", "items": TEXT, "uniqueItems": True},
        "constraint.changed",
        "uniqueItems false -> true",
        True,
        False,
    ),
    (
        {"type": "array", "prefixItems": [TEXT]},
        {"type": "array", "prefixItems": [TEXT, TEXT]},
        "tuple.changed",
        "1 -> 2 items",
        True,
        True,
    ),
]


def one_change(old: Json, new: Json) -> tuple[str, str, bool]:
    """(kind, what, breaking) of the only change there is."""
    (change,) = diff_openapi(old, new)
    return change.kind, change.what, change.breaking


@pytest.mark.parametrize(("old", "new", "kind", "what", "request_", "response"), RULES)
def test_G03_a_rule_in_either_direction(
    old: Json, new: Json, kind: str, what: str, request_: bool, response: bool
) -> None:
    assert one_change(openapi(request=old), openapi(request=new)) == (kind, what, request_)
    assert one_change(openapi(response=old), openapi(response=new)) == (kind, what, response)


OBJECT_RULES = [
    (model(a=TEXT), model(a=TEXT, b=TEXT), "property.added", "b", False, False),
    (model(a=TEXT), model("b", a=TEXT, b=TEXT), "property.added", "b", True, False),
    (model(a=TEXT, b=TEXT), model(a=TEXT), "property.removed", "b", True, True),
    (model(a=TEXT), model("a", a=TEXT), "required.added", "a", True, False),
    (model("a", a=TEXT), model(a=TEXT), "required.removed", "a", False, True),
    (model(a=TEXT), {**model(a=TEXT), "additionalProperties": False}, "extra.removed", "", True, False),
    (
        {"type": "object", "additionalProperties": WHOLE},
        {"type": "object", "additionalProperties": NUMBER},
        "type.changed",
        "{}",
        False,
        True,
    ),
]


@pytest.mark.parametrize(("old", "new", "kind", "part", "request_", "response"), OBJECT_RULES)
def test_G03_a_rule_for_the_fields_of_an_object(
    old: Json, new: Json, kind: str, part: str, request_: bool, response: bool
) -> None:
    for direction, breaking in (("request", request_), ("response", response)):
        (change,) = diff_openapi(openapi(**{direction: old}), openapi(**{direction: new}))
        assert (change.kind, change.breaking) == (kind, breaking)
        assert change.where.endswith(part)


def test_G03_a_model_used_both_ways_is_judged_for_each() -> None:
    def document(**properties: object) -> Json:
        return openapi(request=ref("Order"), response=ref("Order"), schemas={"Order": model(**properties)})

    changes = diff_openapi(document(side={"enum": ["buy"]}), document(side={"enum": ["buy", "sell"]}))
    assert [(change.direction, change.breaking) for change in changes] == [("request", False), ("response", True)]
    assert changes[1].line() == 'POST /orders: response 200: Order.side: enum value "sell" added [breaking]'


def test_G03_a_change_is_told_once_for_all_places_of_its_model() -> None:
    def document(kind: str) -> Json:
        made = openapi(response=ref("Bar"), schemas={"Bar": model(volume={"type": kind})})
        made["paths"]["/other"] = made["paths"]["/orders"]
        return made

    (change,) = diff_openapi(document("number"), document("string"))
    assert change.line() == (
        "POST /orders: response 200: Bar.volume: number -> string (and in 1 more place) [breaking]"
    )


def test_G03_recursive_models_are_compared_to_their_end() -> None:
    def document(name: str, kind: str) -> Json:
        tree = model(value={"type": kind}, below={"type": "array", "items": ref(name)}, up={"anyOf": [ref(name), NULL]})
        return openapi(response=ref(name), schemas={name: tree})

    assert diff_openapi(document("Tree", "string"), document("Node", "string")) == []
    changes = diff_openapi(document("Tree", "string"), document("Node", "number"))
    assert [change.kind for change in changes] == ["type.changed", "model.added", "model.removed"]


def test_G03_a_renamed_model_with_an_equal_body_is_no_change() -> None:
    was = openapi(response=ref("Bar"), schemas={"Bar": model("a", a=TEXT)})
    now = openapi(response=ref("Candle"), schemas={"Candle": model("a", a=TEXT)})
    assert diff_openapi(was, now) == []


def test_G03_branches_of_a_union_are_matched_by_what_they_are() -> None:
    def document(limit: Json, *order: str) -> Json:
        schemas = {"Limit": limit, "Market": model("m", m=TEXT)}
        return openapi(response={"oneOf": [ref(name) for name in order]}, schemas=schemas)

    was = document(model("price", price=NUMBER), "Limit", "Market")
    now = document(model("price", price=TEXT), "Market", "Limit")
    (change,) = diff_openapi(was, now)
    assert change.line() == "POST /orders: response 200: Limit.price: number -> string [breaking]"


def test_G03_all_of_is_the_sum_of_its_parts() -> None:
    base = {"Base": model("a", a=TEXT)}
    split = {"allOf": [ref("Base"), model("b", b=TEXT)]}
    whole = model("b", "a", b=TEXT, a=TEXT)
    assert diff_openapi(openapi(request=split, schemas=base), openapi(request=whole, schemas=base)) == []


def test_G03_a_field_called_title_is_a_field() -> None:
    (change,) = diff_openapi(openapi(response=model(title=TEXT)), openapi(response=model(title=WHOLE)))
    assert (change.where, change.breaking) == ("POST /orders: response 200: title", True)
