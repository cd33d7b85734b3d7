"""Routes, messages and delivery of the WebSockets (G03)."""

import pytest
from support.contracts_small import Json, asyncapi, model

from trading_api.codegen.differ import diff_asyncapi

TEXT = {"type": "string"}


def without(document: Json, section: str, name: str) -> Json:
    return {**document, section: {key: value for key, value in document[section].items() if key != name}}


CASES: list[tuple[Json, Json, list[tuple[str, bool]]]] = [
    (asyncapi(), without(asyncapi(), "operations", "updateBars"), [("operation.removed", True)]),
    (without(asyncapi(), "operations", "updateBars"), asyncapi(), [("operation.added", False)]),
    (asyncapi(), asyncapi(policy="disconnect"), [("policy.changed", True)]),
    (asyncapi(), asyncapi(durable=True), [("policy.changed", False)]),
    (asyncapi(durable=True), asyncapi(), [("policy.changed", True)]),
    (asyncapi(), asyncapi(address="/ws"), [("address.changed", True)]),
    (asyncapi(request=model(a=TEXT)), asyncapi(request=model("b", a=TEXT, b=TEXT)), [("property.added", True)]),
    (asyncapi(update=model(a=TEXT)), asyncapi(update=model("b", a=TEXT, b=TEXT)), [("property.added", False)]),
    (asyncapi(update=model("a", a=TEXT)), asyncapi(update=model(a=TEXT)), [("required.removed", True)]),
    (asyncapi(), {**asyncapi(), "info": {"title": "another"}}, []),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_G03_each_part_of_a_route(old: Json, new: Json, expected: list[tuple[str, bool]]) -> None:
    assert [(change.kind, change.breaking) for change in diff_asyncapi(old, new)] == expected


def test_G03_a_route_that_goes_breaks_and_is_named() -> None:
    gone = {**asyncapi(), "channels": {}, "operations": {}}
    lines = [change.line() for change in diff_asyncapi(asyncapi(), gone)]
    assert lines == [
        "operation subscribeBars: removed [breaking]",
        "operation updateBars: removed [breaking]",
        "route bars: removed [breaking]",
    ]
    assert not any(change.breaking for change in diff_asyncapi(gone, asyncapi()))


def test_G03_a_new_kind_of_answer_is_one_more_branch_for_the_client() -> None:
    now = asyncapi()
    now["channels"]["bars"]["messages"]["error"] = {"name": "error", "payload": model(code=TEXT)}
    now["operations"]["subscribeBars"]["reply"]["messages"].append({"$ref": "#/channels/bars/messages/error"})
    (change,) = diff_asyncapi(asyncapi(), now)
    assert change.line() == "operation subscribeBars: message error: added [breaking]"
