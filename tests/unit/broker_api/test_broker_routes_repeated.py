"""A body that has a field twice: which one counts is nobody's to guess (D03)."""

import httpx
import pytest
from support.broker_routes import LEVERAGE, ORDER, Bench, problem

from trading_api.modules.broker.api.exact_json import read_json
from trading_api.shared.problems import ProblemError

TWICE = "is given twice, so it is not clear which one counts; send it once"


def locations(reply: httpx.Response) -> list[str]:
    assert problem(reply)[0] == 422
    told = reply.json()["errors"]
    assert {error["message"] for error in told} == {TWICE}
    return [error["location"] for error in told]


@pytest.mark.parametrize(
    ("more", "places"),
    [
        (b'"qty":200', ["body.qty"]),
        (b'"qty":10', ["body.qty"]),
        (rb'"\u0071ty":200', ["body.qty"]),
        (b'"qty":1,"qty":2,"side":-1', ["body.side", "body.qty"]),
        (b'"duration":{"type":"GTC","type":"IOC"}', ["body.duration.type"]),
        (b'"customFields":{"a":[{},{"b":1,"b":2}]}', ["body.customFields.a.1.b"]),
        (b'"qty":11,"customFields":{"a":1,"a":2}', ["body.qty", "body.customFields.a"]),
        # Of what another takes the place of, only that is told.
        (b'"duration":{"type":"A","type":"B"},"duration":{}', ["body.duration"]),
    ],
)
def test_D03_an_order_that_has_a_field_twice_buys_nothing(bench: Bench, more: bytes, places: list[str]) -> None:
    content = ORDER[:-1] + b"," + more + b"}"
    reply = bench.place(content)
    assert locations(reply) == places
    assert problem(reply)[1] == "; ".join(f"{place}: {TWICE}" for place in places)
    other_type = {"content_type": "application/json; charset=utf-8"}
    assert locations(bench.place(content, **other_type)) == places, "the long way too"
    assert bench.writer.asked == []


@pytest.mark.parametrize(
    ("method", "path", "content", "place"),
    [
        ("POST", "orders/preview", ORDER[:-1] + b',"side":1}', "body.side"),
        ("PUT", "orders/1", ORDER[:-1] + b',"qty":1}', "body.qty"),
        ("PUT", "positions/AAPL/brackets", b'{"brackets":{"stopLoss":1,"stopLoss":2}}', "body.brackets.stopLoss"),
        ("PUT", "leverage/set", LEVERAGE[:-1] + b',"leverage":50}', "body.leverage"),
        ("POST", "leverage/preview", LEVERAGE[:-1] + b',"leverage":50}', "body.leverage"),
        ("POST", "debug/execute-orders", b'{"orders":[{"orderId":"1","orderId":"2"}]}', "body.orders.0.orderId"),
    ],
)
def test_D03_no_route_takes_a_field_twice(
    debug_bench: Bench, method: str, path: str, content: bytes, place: str
) -> None:
    assert locations(debug_bench.send(method, path, content)) == [place]
    assert debug_bench.writer.asked == []


def test_D03_what_is_told_of_repeated_fields_is_bounded(bench: Bench) -> None:
    name = b"x" * 100_000
    twice = b",".join(b'{"a":1,"a":2}' for _ in range(500))
    reply = bench.place(b'{"' + name + b'":[' + twice + b"]}")
    assert (len(locations(reply)), len(reply.content) < 100_000) == (50, True)


def test_D03_equal_names_in_different_objects_are_no_repetition() -> None:
    assert read_json(b'[{"a":{"a":1}},{"a":1.5}]') == [{"a": {"a": 1}}, {"a": 1.5}]
    assert read_json('\ufeff{"a":1}'.encode()) == {"a": 1}
    with pytest.raises(ProblemError, match=r"body\.0\.a: "):
        read_json(b'[{"a":1,"a":1}]')
