"""AsyncAPI documents: one channel per route, whole frames, replies, policies (W02, W06, W07; G02)."""

import itertools
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, Field, computed_field, field_validator
from support.specs_documents import ROUTES, Json, Orders, Quotes, all_values, unresolved

from trading_api.shared.specs.asyncapi import asyncapi_document
from trading_api.shared.specs.canonical import render_json
from trading_api.shared.ws import AnyRoute, WsRoute
from trading_api.shared.ws.errors import ERROR_CODES


def document_of(*routes: AnyRoute) -> Json:
    return asyncapi_document(
        title="broker v1", version="v1", description="A broker.", address="/api/v1/broker/ws", routers=routes
    )


DOCUMENT = document_of(*ROUTES)


def schema_of(message: str) -> Json:
    name = DOCUMENT["components"]["messages"][message]["payload"]["$ref"].rpartition("/")[2]
    schema: Json = DOCUMENT["components"]["schemas"][name]
    return schema


def accepts(message: str, frame: Json) -> bool:
    resolvable = {**schema_of(message), "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(resolvable).is_valid(frame))


def test_G02_every_reference_leads_somewhere() -> None:
    assert unresolved(DOCUMENT) == []
    assert len(list(all_values(DOCUMENT, "$ref"))) > 50


def test_W02_every_route_is_a_channel_at_the_one_address() -> None:
    assert {name: channel["address"] for name, channel in DOCUMENT["channels"].items()} == dict.fromkeys(
        ("broker-assets", "orders", "quotes"), "/api/v1/broker/ws"
    )
    # The address has no parameters, so none are described.
    assert not list(all_values(DOCUMENT, "parameters"))


@pytest.mark.parametrize(("route", "name"), [("quotes", "Quotes"), ("broker-assets", "BrokerAssets")])
def test_W02_operations_are_those_of_the_server_and_each_request_has_its_replies(route: str, name: str) -> None:
    operations, channel = DOCUMENT["operations"], {"$ref": f"#/channels/{route}"}
    for verb in ("subscribe", "unsubscribe"):
        operation = operations[f"{verb}{name}"]
        assert (operation["action"], operation["channel"]) == ("receive", channel)
        assert operation["messages"] == [{"$ref": f"#/channels/{route}/messages/{verb}"}]
        assert operation["reply"]["channel"] == channel
        replies = [message["$ref"].rpartition("/")[2] for message in operation["reply"]["messages"]]
        assert replies == [f"{verb}.response", "error"]
    update = operations[f"update{name}"]
    assert (update["action"], update["messages"]) == ("send", [{"$ref": f"#/channels/{route}/messages/update"}])
    assert "reply" not in update


def test_W02_the_type_of_every_frame_is_constant() -> None:
    types = {name: schema_of(name)["properties"]["type"]["const"] for name in DOCUMENT["components"]["messages"]}
    assert types == {name: name for name in types}
    ends = ("subscribe", "subscribe.response", "unsubscribe", "unsubscribe.response", "update")
    assert set(types) == {"error", *(f"{route.route}.{end}" for route in ROUTES for end in ends)}


TOPIC = 'orders:{"symbol":"AAPL"}'
REPLY = {"status": "ok", "message": "Subscribed", "topic": TOPIC}
GOOD: list[tuple[str, Json]] = [
    ("orders.subscribe", {"type": "orders.subscribe", "payload": {"symbol": "AAPL"}}),
    ("orders.subscribe", {"type": "orders.subscribe", "payload": {"symbol": "AAPL"}, "id": "a", "since": 0}),
    ("orders.subscribe.response", {"type": "orders.subscribe.response", "payload": REPLY, "id": 7}),
    (
        "orders.update",
        {"type": "orders.update", "payload": {"topic": TOPIC, "payload": [{"qty": 1, "legs": []}]}, "seq": 1},
    ),
    (
        "quotes.update",
        {
            "type": "quotes.update",
            "payload": {"topic": "q", "payload": {"first": {"qty": 1, "legs": []}, "second": None}},
        },
    ),
    (
        "error",
        {"type": "error", "payload": {"code": "invalid_json", "detail": "x"}},
    ),
]
BAD: list[tuple[str, Json]] = [
    ("orders.subscribe", {"type": "orders.unsubscribe", "payload": {"symbol": "AAPL"}}),
    ("orders.subscribe", {"type": "orders.subscribe"}),
    ("orders.subscribe", {"type": "orders.subscribe", "payload": {}}),
    ("orders.subscribe", {"type": "orders.subscribe", "payload": {"symbol": "A"}, "since": -1}),
    ("orders.subscribe", {"type": "orders.subscribe", "payload": {"symbol": "A"}, "id": "x" * 129}),
    ("orders.update", {"type": "orders.update", "payload": {"topic": TOPIC, "payload": []}}),
    ("orders.update", {"type": "orders.update", "payload": [], "seq": 1}),
    ("error", {"type": "error", "payload": {"code": "no such code", "detail": "x"}}),
]


@pytest.mark.parametrize(("message", "frame"), GOOD)
def test_W02_frames_of_the_protocol_fit_their_schemas(message: str, frame: Json) -> None:
    assert accepts(message, frame)


@pytest.mark.parametrize(("message", "frame"), BAD)
def test_W04_other_frames_do_not(message: str, frame: Json) -> None:
    assert not accepts(message, frame)


def test_W04_the_error_frame_tells_every_code() -> None:
    assert tuple(DOCUMENT["components"]["schemas"]["WsError"]["properties"]["code"]["enum"]) == ERROR_CODES


def test_W06_W07_policy_and_durability_are_told() -> None:
    told = {
        name: (channel["x-back-pressure"], channel["x-durable"], channel["x-topic"])
        for name, channel in DOCUMENT["channels"].items()
    }
    assert told == {
        "quotes": ("conflate", False, "quotes:{request}"),
        "broker-assets": ("disconnect", False, "broker-assets:{request}"),
        "orders": ("disconnect", True, "orders:{request}"),
    }


@pytest.mark.parametrize("route", ROUTES)
def test_W07_since_and_seq_are_known_to_durable_routes_only(route: AnyRoute) -> None:
    durable = route is Orders
    assert ("since" in schema_of(f"{route.route}.subscribe")["properties"]) == durable
    update = schema_of(f"{route.route}.update")
    assert ("seq" in update["properties"]) == ("seq" in update["required"]) == durable
    assert "since" not in schema_of(f"{route.route}.unsubscribe")["properties"]


def test_W01_a_routes_docstring_describes_it_and_the_base_classes_does_not() -> None:
    assert DOCUMENT["channels"]["quotes"]["description"] == "Newest <b>quotes</b>."
    assert DOCUMENT["channels"]["broker-assets"]["description"] == "Updates of broker-assets."


def test_W01_a_class_that_differs_between_request_and_update_has_two_schemas() -> None:
    class Priced(BaseModel):
        price: float

        @computed_field  # type: ignore[prop-decorator] # pydantic's own advice
        @property
        def doubled(self) -> float:
            return self.price * 2

    class Both(WsRoute[Priced, Priced]):
        route = "both"
        request_type = data_type = Priced

    schemas = document_of(Both)["components"]["schemas"]
    assert set(schemas["Priced-Input"]["properties"]) == {"price"}
    assert set(schemas["Priced-Output"]["properties"]) == {"price", "doubled"}


def test_W01_a_model_may_bear_the_name_of_a_frame() -> None:
    class QuotesUpdateFrame(BaseModel):
        """A payload."""

    class Named(WsRoute[Any, QuotesUpdateFrame]):
        route = "quotes"
        request_type = Quotes.request_type
        data_type = QuotesUpdateFrame

    document = document_of(Named)
    message = document["components"]["messages"]["quotes.update"]["payload"]["$ref"]
    assert message == "#/components/schemas/QuotesUpdateFrame_"
    assert unresolved(document) == []


def test_G02_the_order_of_routes_changes_no_byte() -> None:
    texts = {render_json(document_of(*routes)) for routes in itertools.permutations(ROUTES)}
    assert len(texts) == 1
    assert json.loads(texts.pop()) == DOCUMENT


def test_G02_a_version_without_routes_has_a_document() -> None:
    document = document_of()
    assert (document["channels"], document["operations"], document["components"]["messages"]) == ({}, {}, {})


@pytest.mark.parametrize("data_type", [int, dict[str, Any], list[int] | None, None])
def test_W01_any_type_that_pydantic_knows_can_be_sent(data_type: Any) -> None:
    class Odd(WsRoute[Any, Any]):
        route = "odd"
        request_type = Quotes.request_type

    Odd.data_type = data_type
    assert unresolved(document_of(Odd)) == []


def test_W02_every_message_has_an_example_that_is_one() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        (given,) = message["examples"]
        assert given["payload"]["type"] == name
        assert accepts(name, given["payload"]), given


def test_W02_the_examples_say_the_topic_that_the_server_would() -> None:
    class Watch(BaseModel):
        symbol: str = Field(examples=["aapl"])
        since: int = 5

        @field_validator("symbol")
        @classmethod
        def upper(cls, symbol: str) -> str:
            return symbol.upper()

    class Picky(BaseModel):
        symbol: str

        @field_validator("symbol")
        @classmethod
        def refuse(cls, symbol: str) -> str:
            raise ValueError(f"never {symbol}")

    class Watched(WsRoute[Watch, Watch]):
        route = "watched"
        request_type = Watch
        data_type = Watch

    class Refused(WsRoute[Picky, Picky]):
        route = "refused"
        request_type = Picky
        data_type = Picky

    messages = document_of(Watched, Refused)["components"]["messages"]
    topics = [
        messages[f"{name}.update"]["examples"][0]["payload"]["payload"]["topic"] for name in ("watched", "refused")
    ]
    assert topics == ['watched:{"symbol":"AAPL"}', 'refused:{"symbol":"text"}']
