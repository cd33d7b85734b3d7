"""Each reason of a refusal with its place in the request: of a played writer, and of the broker's own rules (D03)."""

import httpx
import pytest
from support.broker_bad_requests import BAD_REQUESTS, LEVER, LIMIT, MARKET, BadRequest, Body, crowded_bed
from support.broker_domain import Bed
from support.broker_routes import ORDER, Bench, problem

from trading_api.models import broker as wire
from trading_api.modules.broker.api.locations import LOCATIONS, OWN_LOCATIONS, location_of
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.outcome import invalid_for
from trading_api.modules.broker.domain.problem import Problem


@pytest.fixture(scope="module")
def crowded() -> Bed:
    return crowded_bed()


def test_D03_a_refusal_lists_every_reason_with_its_place(bench: Bench) -> None:
    qty, margin = "qty 0.5 is not on the step of 1; use 1", "Not enough margin."
    bench.writer.answer = invalid_for(Problem(Field.QTY, qty), Problem(None, margin))
    reply = bench.place()
    assert problem(reply)[1] == "qty 0.5 is not on the step of 1; use 1; Not enough margin"
    assert reply.json()["errors"] == [{"location": "body.qty", "message": qty}, {"location": "body", "message": margin}]


@pytest.mark.parametrize(
    ("method", "path", "field", "reason", "place"),
    [
        ("DELETE", "orders/9", Field.ORDER_ID, "Order 9 is not known.", "path.order_id"),
        ("PUT", "orders/9", Field.ORDER_ID, "Order 9 is not known.", "path.order_id"),
        ("PUT", "orders/9", Field.ORDER_ID, "Order 9 is Filled already.", "path.order_id"),
        ("PUT", "orders/9", Field.ORDER_ID, "Order 9 is final already: Filled, Canceled or Rejected.", "path.order_id"),
        ("PUT", "orders/9", Field.ORDER_ID, "Nothing to be done with it, said in other words", "path.order_id"),
        ("PUT", "orders/9", None, "Order 9 is a bracket itself; change its price.", "body"),
        ("PUT", "orders/9", Field.QTY, "The same, said in other words", "body.qty"),
        ("PUT", "orders/9", None, "qty and all the rest", "body"),
        ("PUT", "orders/9", Field.QTY, "qty 3 is below what is filled, 4.", "body.qty"),
        (
            "DELETE",
            "positions/X",
            Field.POSITION_ID,
            "Position X is not known: nothing is held of it.",
            "path.position_id",
        ),
        ("DELETE", "positions/X", None, "The market of X is closed.", "path.position_id"),
        ("DELETE", "positions/X?amount=9", Field.AMOUNT, "amount 9 is above what is held of X, 2", "query.amount"),
        (
            "PUT",
            "positions/X/brackets",
            Field.POSITION_ID,
            "Position X is not known: nothing is held of it.",
            "path.position_id",
        ),
        ("PUT", "positions/X/brackets", Field.STOP_LOSS, "stopLoss 1", "body.brackets.stopLoss"),
        ("PUT", "positions/X/brackets", None, "No.", "body"),
        ("POST", "orders", Field.SYMBOL, "Symbol not found: 'X'; GET …", "body.symbol"),
        ("POST", "orders?", Field.QTY, "qty 1", "body.qty"),
    ],
)
def test_D03_a_reason_names_the_place_that_it_is_about(
    bench: Bench, method: str, path: str, field: Field | None, reason: str, place: str
) -> None:
    bench.writer.answer = invalid_for(Problem(field, reason))
    content = b'{"brackets":{}}' if path.endswith("brackets") else b"" if method == "DELETE" else ORDER
    reply = bench.send(method, path, content)
    assert problem(reply) == (400, reason)
    assert reply.json()["errors"] == [{"location": place, "message": reason}]


@pytest.mark.parametrize("asked", BAD_REQUESTS, ids=lambda asked: f"{asked.method}-{asked.path}-{asked.reasons[0]}")
def test_D03_the_rules_tell_each_reason_and_where_it_stands(bench: Bench, crowded: Bed, asked: BadRequest) -> None:
    bench.decide_by(crowded)
    reply = bench.ask(asked.method, asked.path, asked.body)
    assert problem(reply)[0] == asked.status
    assert_told(reply, *asked.reasons)


def assert_told(reply: httpx.Response, *reasons: str) -> None:
    """These in this order, each beginning so, and a detail that is made of them."""
    told = reply.json()
    errors = [f"{error['location']}: {error['message']}" for error in told["errors"]]
    assert [error[: len(words)] for error, words in zip(errors, reasons, strict=True)] == [*reasons]
    messages = [error["message"] for error in told["errors"]]
    together = "; ".join(message.removesuffix(".") for message in messages)
    assert told["detail"] == (together if len(messages) > 1 else messages[0])


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        ({"orderId": "99"}, "Order 99 is not known."),
        ({"orderId": "5"}, "Order 5 waits for its parent"),
        ({"orderId": "4", "qty": 0.00005}, "qty 0.00005 is not on"),
        ({"orderId": "4", "price": 90.001}, "price 90.001 is not on"),
        ({"orderId": "4", "qty": 99}, "Only 5 of order 4 are left"),
    ],
)
def test_D03_what_cannot_be_executed_by_hand_stands_among_the_orders(
    debug_bench: Bench, crowded: Bed, fill: dict[str, object], words: str
) -> None:
    debug_bench.decide_by(crowded)
    reply = debug_bench.ask("POST", "debug/execute-orders", {"orders": [fill]})
    assert problem(reply)[0] == 400
    assert_told(reply, f"body.orders: {words}")


def test_D03_an_account_at_its_limit_is_told_so_of_the_whole_request(bench: Bench) -> None:
    bed = Bed()
    bed.buy(9000)
    bench.decide_by(bed)
    assert_told(bench.ask("PUT", "leverage/set", LEVER), "body: Not enough margin to lower")
    bed.quote("99.99", "100.01", is_open=False)
    assert_told(bench.ask("DELETE", "positions/AAPL"), "path.position_id: The market of AAPL is closed.")


@pytest.mark.parametrize(
    "body",
    [
        {**MARKET, "type": 4, "qty": 0.00005, "limitPrice": 5.001, "stopPrice": 50},
        {**MARKET, "side": -1, "qty": 50, "isClose": True},
        {**LIMIT, "duration": {"type": "WEEK"}},
        {**MARKET, "qty": 1000000},
    ],
)
def test_D03_a_preview_tells_the_same_reasons_in_words_alone(bench: Bench, crowded: Bed, body: Body) -> None:
    bench.decide_by(crowded)
    refused = bench.ask("POST", "orders", body).json()["errors"]
    told = bench.ask("POST", "orders/preview", body)
    assert (told.status_code, told.json()["errors"]) == (200, [error["message"] for error in refused])


def test_D03_every_field_has_a_place_that_there_is() -> None:
    assert LOCATIONS.keys() == {None, *Field}
    names = {
        name
        for model in (wire.PreOrder, wire.ChangedOrder, wire.LeverageSetRequest, wire.ExecuteOrdersRequest)
        for name in model.model_fields
    }
    known = {"body", "path.order_id", "path.position_id", "query.amount"}
    known |= {f"body.{name}" for name in names}
    known |= {f"body.duration.{name}" for name in wire.OrderDuration.model_fields}
    of_brackets = {f"body.brackets.{name}" for name in wire.Brackets.model_fields}
    assert set(LOCATIONS.values()) <= known
    assert {place for own in OWN_LOCATIONS.values() for place in own.values()} <= known | of_brackets


def test_D03_operations_that_differ_are_ones_that_there_are(bench: Bench) -> None:
    paths = bench.send("GET", "openapi.json").json()["paths"].values()
    assert OWN_LOCATIONS.keys() <= {operation["operationId"] for path in paths for operation in path.values()}
    assert location_of(Field.QTY, None) == "body.qty"
