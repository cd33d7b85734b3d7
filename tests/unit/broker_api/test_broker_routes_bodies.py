"""How the broker's routes read bodies: exactly, or they say what is wrong with them (D03)."""

from decimal import Decimal

import pytest
from support.backend_calls import call
from support.broker_routes import ORDER, Bench, problem

from trading_api.models.broker import OrderType, Side
from trading_api.modules.broker.domain.requests import PlaceOrder


@pytest.mark.parametrize("written", ["0.1000000000000000055511151231257827", "1.10", "3", "1E+2"])
def test_D03_decimals_are_read_as_they_are_written(bench: Bench, written: str) -> None:
    content = ORDER.replace(b"10}", f"{written}}}".encode())
    assert bench.place(content).json() == {"orderId": "7"}
    request = bench.writer.asked[-1][1]
    assert isinstance(request, PlaceOrder)
    assert str(request.qty) == str(Decimal(written))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (b'"qty":NaN', "body.qty"),
        (b'"qty":-Infinity', "body.qty"),
        (b'"qty":"10"', "body.qty"),
        (b'"qty":true', "body.qty"),
        (b'"qty":1e400', "body.qty"),
        (b'"qty":1e999999999999', "body.qty"),
        (b'"qty":1e99999999999999999999', "body.qty"),
        (b'"qty":-1E+99999999999999999999', "body.qty"),
        (b'"qty":1' + b"0" * 5000, "body.qty"),
        (b'"qty":10,"customFields":{"a":1e99999999999999999999}', "body.customFields"),
        (b'"qty":10,"side":true', "body.side"),
        (b'"qty":10,"stopLos":1', "body.stopLos"),
        (b'"qty":10,"customFields":{"a":NaN}', "body.customFields"),
        (rb'"qty":10,"customFields":{"a":"\ud800"}', "body.customFields"),
        (rb'"qty":10,"customFields":{"a":[{"b":"x\udfffy"}]}', "body.customFields"),
        (rb'"qty":10,"customFields":{"a":{"\ud83d":1}}', "body.customFields"),
        (rb'"qty":10,"customFields":{"\ud83d":1}', "body.customFields"),
        (rb'"qty":10,"duration":{"type":"\ud800"}', "body.duration.type"),
        (rb'"qty":10,"duration":{"type":"\u0000"}', "body.duration.type"),
        (rb'"qty":10,"symbol":"A\u0000"', "body.symbol"),
        (b'"qty":10,"type":"2"', "body.type"),
        (b'"qty":10,"side":"1"', "body.side"),
        (b'"qty":10,"stopType":"1"', "body.stopType"),
        (b'"qty":10,"duration":{"type":"GTD","datetime":"5"}', "body.duration.datetime"),
        (b'"qty":null', "body.qty"),
        (b'"qty":10,"customFields":{"a":"' + b"x" * 9000 + b'"}', "body.customFields"),
        (b'"qty":10,"customFields":{"a":' + b"[" * 40 + b"]" * 40 + b"}", "body.customFields"),
    ],
)
def test_D03_what_has_not_the_shape_of_an_order_is_refused_before_the_writer(
    bench: Bench, change: bytes, place: str
) -> None:
    reply = bench.place(ORDER.replace(b'"qty":10', change))
    assert problem(reply)[0] == 422
    assert reply.json()["errors"][0]["location"].startswith(place)
    assert bench.writer.asked == []


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("PUT", "orders/1", rb'{"symbol":"AAPL","type":2,"side":1,"qty":1,"customFields":{"a":"\ud800"}}'),
        ("PUT", "positions/AAPL/brackets", rb'{"brackets":{},"customFields":{"a":"\ud800"}}'),
        ("POST", "orders/preview", rb'{"symbol":"AAPL","type":2,"side":1,"qty":1,"customFields":{"\ud800":1}}'),
    ],
)
def test_D03_no_route_takes_half_a_character(bench: Bench, method: str, path: str, content: bytes) -> None:
    reply = bench.send(method, path, content)
    assert problem(reply)[0] == 422
    assert reply.json()["errors"][0]["location"] == "body.customFields"
    assert bench.writer.asked == []


def test_D03_custom_fields_take_every_character(bench: Bench) -> None:
    content = rb'{"a":"\u0000\ud83d\ude00\u00e4","\ud83d\ude00":1}'
    assert bench.place(ORDER[:-1] + b',"customFields":' + content + b"}").status_code == 200
    request = bench.writer.asked[-1][1]
    assert isinstance(request, PlaceOrder)
    assert request.custom_fields.encode() == content, "ASCII, which every database takes"


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("GET", "executions/A%00", b""),
        ("GET", "leverage/info?symbol=A%00&orderType=2&side=1", b""),
        ("DELETE", "orders/%00", b""),
        ("DELETE", "positions/%00", b""),
        ("PUT", "leverage/set", rb'{"symbol":"\u0000","orderType":2,"side":1,"leverage":5}'),
    ],
)
def test_D03_no_name_holds_what_a_database_refuses(bench: Bench, method: str, path: str, content: bytes) -> None:
    status, detail = problem(bench.send(method, path, content))
    assert (status, "NUL" in detail) == (422, True)
    assert bench.writer.asked == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"symbol":"AAPL","type":1,"side":1,"qty":null}', "body.qty: must be a number"),
        (ORDER[:-1] + b',"stopLos":1}', "body.stopLos: there is no such field (did you mean 'stopLoss'?"),
        (ORDER[:-1] + b',"x":1}', "body.x: there is no such field (known: symbol, type, side"),
        (b'{"symbol":\n"AAPL"', "body: is no JSON: Expecting ',' delimiter at line 2, column 7"),
        (b'{"symbol":\n"A\xff"}', "body: is no JSON: byte 0xff at line 2, column 3 is not UTF-8"),
        (b'{"a":' * 9000, "body: is no JSON that can be read: arrays or objects are nested too deeply"),
        (ORDER.replace(b"AAPL", b"A" * 81), "body.symbol: String should have at most 80 characters"),
    ],
)
def test_D03_a_wrong_body_is_told_in_words(bench: Bench, content: bytes, words: str) -> None:
    reply = bench.place(content)
    assert words in problem(reply)[1]
    assert (reply.status_code, reply.json()["errors"][0]["location"]) == (422, words.partition(":")[0])


def test_D03_the_length_of_a_name_is_told_in_characters(bench: Bench) -> None:
    reply = bench.send("GET", f"executions/{'A' * 81}")
    assert problem(reply) == (422, "path.symbol: String should have at most 80 characters")


def test_D03_a_misspelt_bracket_is_told_where_it_stands(bench: Bench) -> None:
    detail = problem(bench.send("PUT", "positions/AAPL/brackets", b'{"brackets":{"stop_loss":1}}'))[1]
    assert "body.brackets.stop_loss: there is no such field (did you mean 'stopLoss'?" in detail


@pytest.mark.parametrize(("method", "path"), [("POST", "orders"), ("PUT", "orders/1"), ("POST", "orders/preview")])
def test_D03_a_misspelt_end_of_an_order_is_told(bench: Bench, method: str, path: str) -> None:
    reply = bench.send(method, path, ORDER[:-1] + b',"duration":{"type":"GTC","dateTime":5}}')
    told = "body.duration.dateTime: there is no such field (did you mean 'datetime'? known: type, datetime)"
    assert problem(reply) == (422, told)
    assert bench.writer.asked == []


def test_D03_the_quotes_that_a_user_saw_may_hold_more_than_anybody_reads(bench: Bench) -> None:
    content = ORDER[:-1] + b',"currentQuotes":{"ask":2,"bid":1,"spread":1}}'
    assert bench.place(content).status_code == 200


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"qty": 1' + b"0" * 5000 + b"}", b"{", b"\xff"])
def test_D03_what_is_no_json_is_refused(bench: Bench, content: bytes) -> None:
    assert problem(bench.place(content))[0] == 422


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_D03_an_order_is_read_alike_however_its_type_is_written(bench: Bench, kind: str) -> None:
    reply = call(bench.app, "/api/v1/broker/orders", "POST", headers={"content-type": kind}, content=ORDER)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == {"orderId": "7"}
    assert bench.writer.asked[-1][1] == PlaceOrder("AAPL", OrderType.MARKET, Side.BUY, Decimal(10))


def test_D03_an_order_that_is_not_said_to_be_json_is_refused(bench: Bench) -> None:
    reply = call(bench.app, "/api/v1/broker/orders", "POST", headers={"content-type": "text/plain"}, content=ORDER)
    assert problem(reply) == (422, "body: the body is not read as JSON: send the header Content-Type: application/json")
    assert bench.writer.asked == []


def test_D03_an_order_that_is_too_large_is_refused_while_it_is_read(bench: Bench) -> None:
    parts = [b'{"symbol":"', *[b"x" * 2**18] * 5]
    reply = call(
        bench.app, "/api/v1/broker/orders", "POST", headers={"content-type": "application/json"}, content=parts
    )
    assert problem(reply)[0] == 413
