"""The broker's shapes: TradingView's names and numbers."""

from enum import IntEnum
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from trading_api.models import broker
from trading_api.models.broker import (
    BrokerConnection,
    BrokerConnectionSubscription,
    ConnectionStatus,
    EditBracketsRequest,
    EquityData,
    Execution,
    LeverageSetRequest,
    OrderStatus,
    OrderType,
    ParentType,
    PlacedOrder,
    Position,
    PreOrder,
    Side,
    StopType,
)

NUMBERS: dict[type[IntEnum], dict[str, int]] = {
    OrderStatus: {"CANCELED": 1, "FILLED": 2, "INACTIVE": 3, "PLACING": 4, "REJECTED": 5, "WORKING": 6},
    OrderType: {"LIMIT": 1, "MARKET": 2, "STOP": 3, "STOP_LIMIT": 4},
    Side: {"BUY": 1, "SELL": -1},
    ParentType: {"ORDER": 1, "POSITION": 2, "INDIVIDUAL_POSITION": 3},
    StopType: {"STOP_LOSS": 0, "TRAILING_STOP": 1, "GUARANTEED_STOP": 2},
    ConnectionStatus: {"CONNECTED": 1, "CONNECTING": 2, "DISCONNECTED": 3, "ERROR": 4},
}
ORDER: dict[str, Any] = {"symbol": "AAPL", "type": 1, "side": -1, "qty": 0.5, "limitPrice": 187.15}
FIELDS: dict[type[BaseModel], str] = {
    PreOrder: "symbol type side qty limitPrice stopPrice takeProfit stopLoss guaranteedStop trailingStopPips stopType "
    "duration customFields currentQuotes seenPrice isClose",
    Position: "id symbol qty side avgPrice",
    Execution: "symbol price qty side time id orderId commission seq",
    BrokerConnection: "status message timestamp",
    EquityData: "equity balance unrealizedPL realizedPL",
}


@pytest.mark.parametrize("enumeration", NUMBERS)
def test_D01_enumerations_bear_the_contracts_numbers(enumeration: type[IntEnum]) -> None:
    assert {member.name: member.value for member in enumeration} == NUMBERS[enumeration]


@pytest.mark.parametrize("model", FIELDS)
def test_D01_models_have_the_contracts_fields(model: type[BaseModel]) -> None:
    assert set(model.model_fields) == set(FIELDS[model].split())


def test_D01_a_placed_order_adds_its_own_fields_to_the_order() -> None:
    own = {"id", "status", "filledQty", "avgPrice", "updateTime", "parentId", "parentType", "message", "isClose"}
    terms = set(PreOrder.model_fields) - {"currentQuotes", "seenPrice", "isClose"}
    assert set(PlacedOrder.model_fields) == own | terms


def test_D01_an_order_goes_over_the_wire_as_numbers() -> None:
    sent = {**ORDER, "duration": {"type": "GTT", "datetime": 1704153600000}, "currentQuotes": {"ask": 1.1, "bid": 1}}
    order = PreOrder.model_validate(sent)
    assert (order.type, order.side) == (OrderType.LIMIT, Side.SELL)
    assert order.model_dump(mode="json", exclude_unset=True) == sent


@pytest.mark.parametrize(
    "change",
    [
        {"qty": 0},
        {"qty": -1},
        {"qty": "1"},
        {"qty": float("nan")},
        {"type": 5},
        {"side": 0},
        {"side": "buy"},
        {"symbol": ""},
        {"stoploss": 180},
        {"limitPrice": float("inf")},
        {"stopType": 3},
        {"currentQuotes": {"ask": 1}},
    ],
)
def test_D01_an_order_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PreOrder.model_validate({**ORDER, **change})


@pytest.mark.parametrize("payload", [{}, {"accountId": ""}, {"accountId": "A" * 65}, {"accountId": "A", "x": 1}])
def test_W04_a_subscription_names_one_account(payload: object) -> None:
    with pytest.raises(ValidationError):
        BrokerConnectionSubscription.model_validate(payload)


def test_D01_a_misspelt_bracket_is_refused() -> None:
    with pytest.raises(ValidationError, match="stop_loss"):
        EditBracketsRequest.model_validate({"brackets": {"stop_loss": 1}})


def test_D01_a_leverage_is_positive() -> None:
    with pytest.raises(ValidationError, match="leverage"):
        LeverageSetRequest.model_validate({"symbol": "A", "orderType": 2, "side": 1, "leverage": 0})


@pytest.mark.parametrize("name", broker.__all__)
def test_D01_every_model_can_be_documented(name: str) -> None:
    model = getattr(broker, name)
    assert model.__doc__
    if issubclass(model, BaseModel):
        assert model.model_json_schema()["type"] == "object"
