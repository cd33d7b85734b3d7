"""The runtime of generated clients: JSON, enumerations, errors and answers as values (G04)."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field

from trading_api.codegen.client_runtime import (
    ApiError,
    ApiModel,
    BadRequest,
    Binary,
    Call,
    Conflict,
    DecodeError,
    IntEnum,
    InvalidRequest,
    Json,
    NotFound,
    Nothing,
    Request,
    Response,
    ServerError,
    StrEnum,
    Text,
    TooManyRequests,
    TransportError,
)
from trading_api.codegen.client_runtime.json_text import from_json, to_json

FINITE = st.decimals(allow_nan=False, allow_infinity=False)


class Colour(StrEnum):
    RED = "red"


class Status(IntEnum):
    WORKING = 6


class Order(ApiModel):
    qty: Decimal
    limit: Annotated[Decimal | None, Field(alias="limitPrice")] = None
    at: AwareDatetime | None = None
    colour: Colour | None = None
    status: Status | None = None
    inner: "list[Order] | None" = None


@given(FINITE)
def test_G04_a_decimal_is_sent_as_exactly_that_number_and_read_back(value: Decimal) -> None:
    text = to_json({"qty": value})
    assert Decimal(text.removeprefix('{"qty":').removesuffix("}")) == value
    assert isinstance(json.loads(text)["qty"], int | float)
    assert Json[Order](Order).read(text).qty == value


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("nan"), float("inf")])
def test_G04_what_json_has_no_number_for_is_not_sent(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json([value])


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "{", ""])
def test_G04_what_is_not_json_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda item: st.lists(item) | st.dictionaries(st.text(), item),
    )
)
def test_G04_json_without_fractions_means_what_the_standard_library_means(value: object) -> None:
    assert json.loads(to_json(value)) == value


def test_G04_absent_is_not_null() -> None:
    assert to_json(Order(qty=Decimal(1))) == '{"qty":1}'
    assert to_json(Order(qty=Decimal(1), limit=None)) == '{"qty":1,"limitPrice":null}'
    assert to_json(Order(qty=Decimal(1), inner=[Order(qty=Decimal("2.50"))])) == '{"qty":1,"inner":[{"qty":2.50}]}'


def test_G04_times_and_enumerations_are_sent_as_the_contract_says() -> None:
    order = Order(qty=Decimal(1), at=datetime(2024, 1, 1, tzinfo=UTC), colour=Colour.RED, status=Status.WORKING)
    assert to_json(order) == '{"qty":1,"at":"2024-01-01T00:00:00Z","colour":"red","status":6}'


def test_G04_values_and_fields_of_a_newer_server_raise_nothing() -> None:
    order = Json[Order](Order).read('{"qty":1,"colour":"index","status":-7,"invented":[1]}')
    assert order.colour == "index"
    assert isinstance(order.colour, Colour)
    assert order.status == -7
    assert order.status is Status(-7)
    assert to_json(order) == '{"qty":1,"colour":"index","status":-7}'
    assert list(Colour) == [Colour.RED]
    assert list(Status) == [Status.WORKING]


@pytest.mark.parametrize("value", ["true", "1.5", "{}"])
def test_G04_a_value_of_another_type_still_raises(value: str) -> None:
    with pytest.raises(ValueError, match="status"):
        Json[Order](Order).read(f'{{"qty":1,"status":{value}}}')


def call(**readers: object) -> Call[object]:
    return Call(Request("getThing", "GET", "/thing"), readers)  # type: ignore[arg-type]


def answer(status: int, content: bytes = b"", **headers: str) -> Response:
    return Response(status, headers, content)


def test_G04_an_answer_is_read_by_status_then_class_then_default() -> None:
    readers = {"200": Json[int](int), "2XX": Text(), "default": Binary()}
    assert call(**readers).result(answer(200, b"5")) == 5
    assert call(**readers).result(answer(201, b"5")) == "5"
    assert call(default=Binary()).result(answer(203, b"\x00")) == b"\x00"
    assert call(**{"204": Nothing()}).result(answer(204)) is None


@pytest.mark.parametrize(
    ("response", "what"),
    [
        (answer(200, b"<html>", **{"content-type": "text/html"}), r"getThing: 200 \(text/html\) is not as declared"),
        (answer(200, b'{"qty":"x"}'), "qty: "),
        (answer(200, b'{"qty":NaN}'), "NaN is not JSON"),
        (answer(200, b"[" * 100_000), "not as declared"),
        (answer(202, b"{}"), "no answer with status 202"),
    ],
)
def test_G04_an_answer_that_is_not_as_declared_names_operation_and_place(response: Response, what: str) -> None:
    with pytest.raises(DecodeError, match=what):
        call(**{"200": Json[Order](Order)}).result(response)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (404, NotFound),
        (409, Conflict),
        (422, InvalidRequest),
        (429, TooManyRequests),
        (500, ServerError),
        (599, ServerError),
        (418, ApiError),
        (302, ApiError),
    ],
)
def test_G04_errors_have_classes_by_status(status: int, kind: type[ApiError]) -> None:
    with pytest.raises(ApiError) as caught:
        call().result(answer(status, b"nothing to read"))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.problem, caught.value.content) == (status, None, b"nothing to read")


def test_G04_a_problem_is_typed_and_the_request_id_is_told() -> None:
    errors = b'"errors":[{"location":"a","message":"b"}]'
    problem = b'{"title":"T","status":404,"detail":"Symbol not found","request_id":"abc",' + errors + b"}"
    with pytest.raises(NotFound, match=r"getThing: 404 Symbol not found \(request abc\)") as caught:
        call().result(answer(404, problem))
    assert caught.value.problem is not None
    assert caught.value.problem.errors is not None
    assert caught.value.problem.errors[0].location == "a"
    with pytest.raises(NotFound) as caught:
        call().result(answer(404, problem, **{"x-request-id": "of the header"}))
    assert caught.value.request_id == "of the header"


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'"x"', b"\xff", b"{" * 100_000, b'{"status":"x"}'])
def test_G04_an_error_without_a_problem_is_still_an_error(content: bytes) -> None:
    with pytest.raises(ServerError, match=r"^getThing: 502$"):
        call().result(answer(502, content))


def test_G04_no_answer_is_a_transport_error() -> None:
    with pytest.raises(TransportError, match="getThing: gone"):
        call().result(TransportError("getThing", "gone"))
