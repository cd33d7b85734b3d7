"""Numbers and requests on the wire."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from trading_api.models.common import DecimalNumber
from trading_api.models.market import BarsSubscription, QuotesRequest, QuotesSubscription


class Sample(BaseModel):
    price: DecimalNumber
    qty: DecimalNumber = Field(default=Decimal(1), gt=0, le=100, description="Units.")
    limit: DecimalNumber | None = None


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 30))
def test_D01_fifteen_digits_survive_the_trip_through_json(coefficient: int, scale: int) -> None:
    value = Decimal(coefficient).scaleb(-scale)
    text = Sample(price=value).model_dump_json()
    assert isinstance(json.loads(text)["price"], float)
    back = Sample.model_validate_json(text).price
    assert Decimal(f"{back:.15g}") == value
    assert Sample.model_validate(json.loads(text)).price == back, "as FastAPI reads it"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e299, max_value=1e299))
def test_D01_every_number_a_client_can_write_comes_back(number: float) -> None:
    assert json.loads(Sample(price=number).model_dump_json())["price"] == number  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e400"), 10**400],
)
def test_D01_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"price": value})


@pytest.mark.parametrize("text", ['"1.5"', "true", "null", "[]", "NaN", "Infinity", '""'])
def test_D01_what_is_no_json_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate_json(f'{{"price":{text}}}')


@pytest.mark.parametrize("quantity", [0, -1, 100.01])
def test_D01_bounds_of_a_field_hold(quantity: float) -> None:
    with pytest.raises(ValidationError, match="qty"):
        Sample.model_validate({"price": 1, "qty": quantity})


def test_D01_inside_it_is_a_decimal_exactly_as_written() -> None:
    sample = Sample.model_validate_json('{"price":0.29,"qty":7}')
    assert (sample.price, sample.qty) == (Decimal("0.29"), Decimal(7))
    assert sample.price % Decimal("0.01") == 0
    assert sample.model_dump()["price"] is sample.price


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_D01_the_schema_says_number_and_decimal(mode: str) -> None:
    properties = Sample.model_json_schema(mode="validation" if mode == "validation" else "serialization")["properties"]
    assert (properties["price"]["type"], properties["price"]["format"]) == ("number", "decimal")
    assert properties["limit"]["anyOf"] == [{"type": "number", "format": "decimal"}, {"type": "null"}]
    assert (properties["qty"]["exclusiveMinimum"], properties["qty"]["maximum"]) == (0, 100)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"symbols": []},
        {"symbols": [], "fast_symbols": []},
        {"symbols": [""]},
        {"symbols": ["A" * 81]},
        {"symbols": ["A"] * 201},
        {"fast_symbols": ["A"] * 201},
        {"symbols": ["A"], "fastSymbols": ["A"]},
        {"symbols": "AAPL"},
        {"symbols": [1]},
    ],
)
def test_W04_quotes_are_asked_for_within_bounds(payload: object) -> None:
    with pytest.raises(ValidationError):
        QuotesSubscription.model_validate(payload)


@pytest.mark.parametrize("payload", [{}, {"symbols": []}, {"symbols": ["A"] * 201}, {"symbols": ["A"], "fast": True}])
def test_W04_so_are_those_of_rest(payload: object) -> None:
    with pytest.raises(ValidationError):
        QuotesRequest.model_validate(payload)


@pytest.mark.parametrize(
    "payload", [{"symbol": "A"}, {"symbol": "", "resolution": "1"}, {"symbol": "A", "resolution": "1", "x": 1}]
)
def test_W04_bars_are_asked_for_by_symbol_and_resolution(payload: object) -> None:
    with pytest.raises(ValidationError):
        BarsSubscription.model_validate(payload)


def test_W02_a_subscription_keeps_only_what_was_said() -> None:
    said = {"fast_symbols": ["AAPL"]}
    assert QuotesSubscription.model_validate(said).model_dump(mode="json", exclude_unset=True) == said
