"""From the domain to the wire: names, numbers, and what is left out (D01)."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from trading_api.models import broker as wire
from trading_api.models.broker import OrderStatus, OrderType, ParentType, Side, StopType
from trading_api.modules.broker.account import account_of
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.events import (
    EquityEvent,
    ExecutionEvent,
    LeverageEvent,
    OrderEvent,
    PositionEvent,
)
from trading_api.modules.broker.domain.execution import Execution
from trading_api.modules.broker.domain.order import Brackets, Message, Order, OrderRole
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.worth import Equity
from trading_api.modules.broker.wire.body_hash import body_hash
from trading_api.modules.broker.wire.requests import execute_orders
from trading_api.modules.broker.wire.updates import Update, placed_order, update_of
from trading_api.modules.broker.writer.call import Call
from trading_api.modules.broker.writer.codec import dump_call, load_call
from trading_api.shared.users import DEFAULT_USER, User

D = Decimal
ENTRY = Order(
    id="7",
    symbol="AAPL",
    type=OrderType.LIMIT,
    side=Side.SELL,
    qty=D("1.50"),
    status=OrderStatus.WORKING,
    limit_price=D("187.15"),
    filled_qty=D("0.5"),
    avg_price=D("187.2"),
    duration=Duration(DurationKind.GTD, 5),
    brackets=Brackets(take_profit=D(180), stop_loss=D(190), stop_type=StopType.STOP_LOSS),
    custom_fields='{"note":"\\u00e4","n":[1.5]}',
    message=Message("information", "half"),
    updated_ms=9,
)
TRAILING = Order(
    "8",
    "AAPL",
    OrderType.STOP,
    Side.SELL,
    D(1),
    OrderStatus.WORKING,
    stop_price=D(95),
    role=OrderRole.STOP_LOSS,
    parent_id="AAPL",
    parent_type=ParentType.POSITION,
    stop_type=StopType.TRAILING_STOP,
    trail_pips=D(500),
)


def as_json(update: Update) -> object:
    """As REST and streams write it; it must be what the model says."""
    text = TypeAdapter(type(update)).dump_json(update)
    TypeAdapter(type(update)).validate_json(text)
    return {name: value for name, value in json.loads(text).items() if value is not None}


def test_D01_an_order_tells_all_that_it_is() -> None:
    assert as_json(update_of(OrderEvent("A", 3, 1, ENTRY))) == {
        "id": "7",
        "symbol": "AAPL",
        "type": 1,
        "side": -1,
        "qty": 1.5,
        "status": 6,
        "limitPrice": 187.15,
        "takeProfit": 180,
        "stopLoss": 190,
        "stopType": 0,
        "duration": {"type": "GTD", "datetime": 5},
        "customFields": {"note": "ä", "n": [1.5]},
        "filledQty": 0.5,
        "avgPrice": 187.2,
        "updateTime": 9,
        "message": {"type": "information", "text": "half"},
    }


def test_D03_an_order_that_may_only_close_says_so() -> None:
    assert placed_order(replace(ENTRY, is_close=True)).isClose is True


@pytest.mark.parametrize(
    ("body", "fills"),
    [(None, None), ({}, None), ({"orders": None}, None), ({"orders": []}, ())],
)
def test_D03_an_empty_list_of_orders_to_execute_names_none_and_none_at_all_all(
    body: dict[str, object] | None, fills: tuple[()] | None
) -> None:
    asked = execute_orders(None if body is None else wire.ExecuteOrdersRequest.model_validate(body))
    assert asked.fills == fills
    call = Call("A", asked, "1", "h", retry=False)
    assert load_call(dump_call(call, "store")) == ("store", call)


def test_D03_an_order_of_old_with_half_a_character_can_still_be_shown() -> None:
    old = replace(ENTRY, custom_fields=r'{"a":["x\ud800"],"\udfff":"\ud83d\ude00"}')
    told = as_json(update_of(OrderEvent("A", 3, 1, old)))
    assert isinstance(told, dict)
    assert told["customFields"] == {"a": ["x\ufffd"], "\ufffd": "\U0001f600"}


def test_D01_a_trailing_stop_tells_its_distance_and_its_parent() -> None:
    told = placed_order(TRAILING)
    assert (told.parentId, told.parentType, told.stopPrice) == ("AAPL", ParentType.POSITION, D(95))
    assert (told.trailingStopPips, told.stopType, told.takeProfit) == (D(500), StopType.TRAILING_STOP, None)


def test_D01_positions_executions_and_equity_bear_the_contracts_names() -> None:
    closed = Position("AAPL", Side.BUY, D(0), D(0))
    assert as_json(update_of(PositionEvent("A", 1, 1, closed))) == {
        "id": "AAPL",
        "symbol": "AAPL",
        "qty": 0,
        "side": 1,
        "avgPrice": 0,
    }
    trade = Execution("4", "7", "AAPL", Side.BUY, D(2), D("1.25"), D("0.01"), D("3"), 11)
    assert as_json(update_of(ExecutionEvent("A", 12, 1, trade))) == {
        "id": "4",
        "orderId": "7",
        "symbol": "AAPL",
        "price": 1.25,
        "qty": 2,
        "side": 1,
        "time": 11,
        "commission": 0.01,
        "seq": 12,
    }
    worth = Equity(D("100.10"), D("0.20"), D("0.10"), D("-5"), D("95.10"))
    assert as_json(update_of(EquityEvent("A", 1, 1, worth))) == {
        "equity": 95.1,
        "balance": 100.1,
        "unrealizedPL": -5,
        "realizedPL": 0.2,
    }


def test_D01_an_event_without_a_route_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="LeverageEvent"):
        update_of(LeverageEvent("A", 1, 1, "AAPL", D(5)))


@given(st.integers(1, 10**15 - 1), st.integers(0, 12))
def test_D03_numbers_of_15_digits_are_exact_on_the_wire(digits: int, scale: int) -> None:
    number = D(digits).scaleb(-scale)
    text = TypeAdapter(wire.PlacedOrder).dump_json(placed_order(replace(ENTRY, limit_price=number)))
    assert json.loads(text, parse_float=D)["limitPrice"] == number


@given(st.integers(-(10**40), 10**40), st.integers(-40, 40), st.integers(0, 6))
def test_D03_a_hash_tells_numbers_apart_and_not_their_spelling(digits: int, exponent: int, zeros: int) -> None:
    number, spelt = D(f"{digits}E{exponent}"), D(f"{digits}{'0' * zeros}E{exponent - zeros}")
    assert body_hash("x", number) == body_hash("x", spelt)
    assert body_hash("x", number) != body_hash("x", D(f"{digits + 1}E{exponent}"))
    assert body_hash("x", number) != body_hash("y", number)


def test_D03_a_hash_of_a_tiny_number_takes_no_memory() -> None:
    assert body_hash("x", D("1E-999999999")) != body_hash("x", D("1E-999999998"))


def test_D04_an_account_is_its_users_alone_and_does_not_tell_who_that_is() -> None:
    default, alice, bob = (account_of(user, "EUR") for user in (DEFAULT_USER, User("alice"), User("bob")))
    assert (default.id, default.name, default.currency) == ("DEMO-ACCOUNT", "Demo account", "EUR")
    assert alice == account_of(User("alice"), "EUR")
    assert len({default.id, alice.id, bob.id}) == 3
    assert account_of(User("default")).id.startswith("ACC-"), "a token may say any name"
    assert alice.id.startswith("ACC-")
    assert "alice" not in f"{alice}"
