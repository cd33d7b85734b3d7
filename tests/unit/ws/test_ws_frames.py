"""Frames, topic names and error replies (W02, W04, W07)."""

import asyncio
import json
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator
from support.ws_clients import Json, clients
from support.ws_service import ROUTES, WatchedService
from websockets.frames import Frame, Opcode

from trading_api.shared.ws import Hub, WsLimits, WsRoute
from trading_api.shared.ws.errors import RequestError
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.routes import CompiledRoute
from trading_api.shared.ws.topic_name import topic_name

TREE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def ask(*frames: Json | str | bytes, limits: WsLimits | None = None) -> list[Json]:
    """The replies to frames that one client sends."""

    async def run() -> list[Json]:
        hub = Hub(WatchedService(), ROUTES, limits or WsLimits())
        async with clients(hub, 1) as (client,):
            return [await client.ask(frame) for frame in frames]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("sent", "code", "detail"),
    [
        ("", "invalid_json", "not JSON"),
        ("{", "invalid_json", "not JSON"),
        ("{'a': 1}", "invalid_json", "not JSON"),
        ('{"type":"x","payload":NaN}', "invalid_json", "not JSON"),
        ('{"type":"\\ud800","payload":{}}', "invalid_json", "not JSON"),
        ("[" * 30_000, "invalid_json", "not JSON"),
        ('{"type":"strict.subscribe","payload":' + "9" * 5000 + "}", "invalid_json", "not JSON"),
        ("[]", "invalid_frame", "not a JSON object"),
        ("null", "invalid_frame", "not a JSON object"),
        ('"strict.subscribe"', "invalid_frame", "not a JSON object"),
        (b'{"type":"strict.subscribe"}', "invalid_frame", "Binary"),
        ({}, "invalid_frame", "no `type`"),
        ({"type": 7, "payload": {}}, "invalid_frame", "no `type`"),
        ({"type": "strict.subscribe"}, "invalid_frame", "no payload"),
        ({"type": "strict.subscribe", "payload": {}, "id": 1.5}, "invalid_frame", "`id`"),
        ({"type": "strict.subscribe", "payload": {}, "id": True}, "invalid_frame", "`id`"),
        ({"type": "strict.subscribe", "payload": {}, "id": 2**63}, "invalid_frame", "`id`"),
        ({"type": "strict.subscribe", "payload": {}, "id": "x" * 129}, "invalid_frame", "`id`"),
        ({"type": "strict.subscribe", "payload": {}, "id": {}}, "invalid_frame", "`id`"),
        ({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": -1}, "invalid_frame", "`since`"),
        ({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": "1"}, "invalid_frame", "`since`"),
        ({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": True}, "invalid_frame", "`since`"),
        ({"type": "strict.subscribe", "payload": {"symbol": "A"}, "since": 1}, "invalid_frame", "durable"),
        ({"type": "newest.subscribe", "payload": {"symbol": "A"}, "since": 0}, "invalid_frame", "durable"),
        ({"type": "logged.unsubscribe", "payload": {"symbol": "A"}, "since": 1}, "invalid_frame", "durable"),
        ({"type": "", "payload": {}}, "unknown_type", "no such type"),
        ({"type": "strict", "payload": {}}, "unknown_type", "no such type"),
        ({"type": "strict.update", "payload": {}}, "unknown_type", "no such type"),
        ({"type": "strict.subscribe.response", "payload": {}}, "unknown_type", "no such type"),
        ({"type": "strct.subscribe", "payload": {}}, "unknown_type", "Did you mean strict.subscribe?"),
        ({"type": "x" * 60_000, "payload": {}}, "unknown_type", "no such type"),
        ({"type": "strict.subscribe", "payload": None}, "invalid_payload", "payload"),
        ({"type": "strict.subscribe", "payload": []}, "invalid_payload", "payload"),
        ({"type": "strict.subscribe", "payload": {}}, "invalid_payload", "payload.symbol: Field required"),
        ({"type": "strict.unsubscribe", "payload": {}}, "invalid_payload", "payload.symbol: Field required"),
        ({"type": "strict.subscribe", "payload": {"symbol": 1}}, "invalid_payload", "payload.symbol"),
        ('{"type":"strict.subscribe","payload":{"symbol":"A","depth":1e400}}', "invalid_payload", "payload"),
        ({"type": "strict.subscribe", "payload": {"symbol": "A" * 17_000}}, "invalid_payload", "4096 bytes"),
        ({"type": "strict.unsubscribe", "payload": {"symbol": "A"}}, "not_subscribed", 'strict:{"symbol":"A"}'),
    ],
)
def test_W04_rubbish_gets_an_error_reply_and_the_connection_stays(sent: Any, code: str, detail: str) -> None:
    good = {"type": "strict.subscribe", "payload": {"symbol": "A"}}
    reply, after = ask(sent, good)
    assert (reply["type"], reply["payload"]["code"]) == ("error", code)
    assert detail in reply["payload"]["detail"]
    assert after["payload"]["status"] == "ok"


def test_W04_an_invalid_payload_names_every_wrong_place() -> None:
    payload = {"depth": "many", "nope": 1}
    (reply,) = ask({"type": "strict.subscribe", "payload": payload})
    errors = reply["payload"]["errors"]
    assert [item["location"] for item in errors] == ["payload.symbol", "payload.depth", "payload.nope"]
    assert all(set(item) == {"location", "message"} for item in errors)
    assert errors[-1]["message"] == "there is no such field (known: symbol, depth, longName)", "as over HTTP"


@pytest.mark.parametrize(
    ("payload", "places"),
    [
        ("1e999", ["payload"]),
        ('{"symbol":"A","depth":1e999}', ["payload.depth"]),
        ('{"a":[1,-1e999,{"b":1e999}]}', ["payload.a.1", "payload.a.2.b"]),
        (f"[{','.join(['1e999'] * 200)}]", [f"payload.{index}" for index in range(50)]),
    ],
)
def test_W04_a_number_that_nobody_can_hold_is_a_wrong_place(payload: str, places: list[str]) -> None:
    (reply,) = ask(f'{{"type":"strict.subscribe","payload":{payload}}}')
    assert reply["payload"]["code"] == "invalid_payload"
    assert [item["location"] for item in reply["payload"]["errors"]] == places
    assert reply["payload"]["detail"].startswith(f"{places[0]}: The number is too large")


def test_W04_what_a_model_says_is_told_in_its_own_words() -> None:
    class Watch(BaseModel):
        symbols: list[str]

        @model_validator(mode="after")
        def check(self) -> Self:
            if not self.symbols:
                raise ValueError("give at least one symbol")
            if len(self.symbols) > 2:
                raise AssertionError("give two at most")
            return self

    class Watched(WsRoute[Watch, Watch]):
        route = "watched"
        request_type = Watch
        data_type = Watch

    compiled = CompiledRoute(Watched)
    for symbols, said in (([], "give at least one symbol"), (["A"] * 3, "give two at most")):
        with pytest.raises(RequestError) as refused:
            compiled.parse({"symbols": symbols})
        assert refused.value.detail == f"payload: {said}"
        assert [item.message for item in refused.value.errors] == [said]


def test_W04_the_places_that_are_named_are_bounded() -> None:
    (reply,) = ask({"type": "strict.subscribe", "payload": {f"x{number}": 1 for number in range(3000)}})
    assert len(reply["payload"]["errors"]) == 50


@pytest.mark.parametrize("id_", ["", "a", "x" * 128, 0, -1, 2**63 - 1, "ü"])
def test_W07_an_id_comes_back_on_the_reply_and_on_nothing_else(id_: str | int) -> None:
    frames: list[Json] = [
        {"type": "strict.subscribe", "payload": {"symbol": "A"}, "id": id_},
        {"type": "strict.subscribe", "payload": {"symbol": "A"}, "id": id_},
        {"type": "strict.unsubscribe", "payload": {"symbol": "A"}, "id": id_},
        {"type": "strict.unsubscribe", "payload": {"symbol": "A"}, "id": id_},
        {"type": "nope", "id": id_, "payload": 0},
        {"id": id_},
    ]
    assert [reply["id"] for reply in ask(*frames)] == [id_] * 6
    without = [frame | {"id": None} for frame in frames]
    assert not any("id" in reply for reply in ask(*without))


@given(size=st.one_of(st.integers(0, 300), st.integers(65_000, 66_000)))
def test_W02_a_message_on_the_wire_is_the_frame_that_the_websockets_library_makes(size: int) -> None:
    payload = b"x" * size
    assert Message(payload).frame == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_W02_replies_have_the_shape_of_the_contract() -> None:
    payload = {"symbol": "ÄPFEL", "depth": 3, "longName": 'a"b'}
    topic = 'strict:{"depth":3,"longName":"a\\"b","symbol":"ÄPFEL"}'
    subscribed, again, unsubscribed, error_ = ask(
        *({"type": f"strict.{verb}subscribe", "payload": payload} for verb in ("", "", "un", "un"))
    )
    assert subscribed == {
        "type": "strict.subscribe.response",
        "payload": {"status": "ok", "message": "Subscribed", "topic": topic},
    }
    assert again["payload"] == {"status": "ok", "message": "Already subscribed", "topic": topic}
    assert unsubscribed["type"] == "strict.unsubscribe.response"
    assert unsubscribed["payload"] == {"status": "ok", "message": "Unsubscribed", "topic": topic}
    assert error_["payload"]["request_type"] == "strict.unsubscribe"


def test_W02_the_topic_is_what_the_request_sets_and_nothing_else() -> None:
    bare, set_ = ask(
        {"type": "strict.subscribe", "payload": {"symbol": "A"}},
        {"type": "strict.subscribe", "payload": {"depth": 1, "symbol": "A"}},
    )
    assert bare["payload"]["topic"] == 'strict:{"symbol":"A"}'
    assert set_["payload"]["topic"] == 'strict:{"depth":1,"symbol":"A"}'


@given(fields=st.dictionaries(st.text(), TREE.filter(lambda value: "nan" not in repr(value).lower())))
def test_W02_a_topic_name_is_one_for_one_request_whatever_the_order_of_its_keys(fields: Json) -> None:
    name = topic_name("r", fields)
    assert name == topic_name("r", dict(reversed(fields.items())))
    route, _, text = name.partition(":")
    assert (route, json.loads(text)) == ("r", fields)


@given(value=TREE)
def test_W04_no_json_whatsoever_costs_the_connection(value: object) -> None:
    texts = [json.dumps(value), json.dumps({"type": "strict.subscribe", "payload": value, "id": value, "since": value})]
    replies = ask(*texts)
    assert all(reply["type"] == "error" for reply in replies)


@given(text=st.text())
def test_W04_no_text_whatsoever_costs_the_connection(text: str) -> None:
    (reply,) = ask(text)
    assert reply["type"] == "error"
