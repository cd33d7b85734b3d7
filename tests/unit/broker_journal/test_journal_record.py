"""D04: what is written down is read back exactly, and what cannot be understood is refused."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_api.models.broker import OrderStatus, OrderType, ParentType, Side, StopType
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.order import Brackets, Message, Order, OrderRole
from trading_api.modules.broker.journal.record import Record, RecordError

ORDERS = Record(Order)
PLAIN = Order("1", "AAPL", OrderType.LIMIT, Side.BUY, Decimal(5), OrderStatus.WORKING, limit_price=Decimal("0.29"))

amounts = st.decimals(allow_nan=False, allow_infinity=False)
moments = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=12)


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | values


VALUES: dict[object, st.SearchStrategy[object]] = {
    str: texts,
    int: moments,
    bool: st.booleans(),
    Decimal: amounts,
    Duration: st.builds(Duration, st.sampled_from(DurationKind), maybe(moments)),
    Message: st.builds(Message, st.sampled_from(["information", "warning", "error"]), texts),
    Brackets: st.builds(Brackets, *[maybe(amounts)] * 4, maybe(st.sampled_from(StopType))),
    **{kind: st.sampled_from(kind) for kind in (OrderStatus, OrderType, ParentType, Side, StopType, OrderRole)},
}


def values_of(hint: object) -> st.SearchStrategy[object]:
    kinds = get_args(hint)
    return maybe(VALUES[kinds[0]]) if kinds else VALUES[hint]


orders = st.builds(Order, **{name: values_of(hint) for name, hint in get_type_hints(Order).items()})


@settings(max_examples=50)
@given(orders)
def test_D04_every_order_is_read_back_exactly(order: Order) -> None:
    text = ORDERS.text(order)
    assert text.isascii()
    assert "\0" not in text
    found = ORDERS.value(text)
    assert found == order
    # 1.0 == 1 to Python, but a price keeps its digits.
    assert repr(found) == repr(order)


def test_D04_a_record_is_plain_to_read() -> None:
    assert json.loads(ORDERS.text(PLAIN)) == {
        "id": "1",
        "symbol": "AAPL",
        "type": 1,
        "side": 1,
        "qty": "5",
        "status": 6,
        "limit_price": "0.29",
        "filled_qty": "0",
        "duration": {"kind": "GTC"},
        "role": "entry",
        "triggered": False,
        "is_close": False,
        "arrived": False,
        "brackets": {},
        "custom_fields": "",
        "created_ms": 0,
        "updated_ms": 0,
    }


def changed(**fields: object) -> str:
    return json.dumps({**json.loads(ORDERS.text(PLAIN)), **fields})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed(owner="x", yield_=1), "holds unknown fields: owner, yield_"),
        (changed(brackets={"take": "1"}), "brackets holds unknown fields: take"),
        ("{}", "lacks the fields: arrived, brackets, created_ms, custom_fields, .*, id, "),
        ("[]", r"is \[\], not an object"),
        ("null", "is None, not an object"),
        ("", "is no JSON"),
        (changed()[:-1], "is no JSON"),
        ("[" * 100_000, "nested too deep|is no JSON"),
        (changed(qty=5), "qty is 5, not a decimal in a string"),
        (changed(qty="five"), "qty is 'five', not a decimal"),
        (changed(qty="NaN"), "qty is 'NaN', not a decimal"),
        (changed(qty="Infinity"), "qty is 'Infinity', not a decimal"),
        (changed(qty=None), "qty is None, not a decimal"),
        (changed(limit_price=None), "limit_price is None, not a decimal"),
        (changed(qty=1.5), "holds the number 1.5, which is not exact"),
        (changed(created_ms=float("nan")), "holds the number NaN"),
        (changed(status=7), "status is 7, none of 1, 2, 3"),
        (changed(status=True), "status is True, none of"),
        (changed(status=[]), r"status is \[\], none of"),
        (changed(role="exit"), "role is 'exit', none of 'entry'"),
        (changed(created_ms="1"), "created_ms is '1', not of type int"),
        (changed(created_ms=True), "created_ms is True, not of type int"),
        (changed(triggered=1), "triggered is 1, not of type bool"),
        (changed(message={"type": "shout", "text": ""}), "message type is 'shout', none of 'information'"),
        (changed(duration={"kind": "GTD", "until_ms": "x"}), "duration until_ms is 'x', not of type int"),
    ],
)
def test_D04_what_is_no_record_is_refused(text: str, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        ORDERS.value(text)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_D04_what_is_no_amount_is_not_written(amount: str) -> None:
    order = Order("1", "AAPL", OrderType.MARKET, Side.BUY, Decimal(amount), OrderStatus.PLACING)
    with pytest.raises(RecordError, match="is no amount"):
        ORDERS.text(order)


class _Colour(Enum):
    RED = 1


@dataclass(frozen=True)
class _Many:
    names: tuple[str, ...]
    inner: tuple[Brackets, ...]
    colour: _Colour


def test_D04_a_record_may_hold_tuples() -> None:
    many = _Many(("a", "b"), (Brackets(), Brackets(Decimal("1.50"))), _Colour.RED)
    assert Record(_Many).value(Record(_Many).text(many)) == many
    with pytest.raises(RecordError, match=r"names is 'ab', not a list"):
        Record(_Many).value('{"names": "ab", "inner": [], "colour": 1}')


@dataclass(frozen=True)
class _Nothing:
    pass


@dataclass(frozen=True)
class _One:
    nothing: _Nothing


@pytest.mark.parametrize("value", [_Nothing(), _One(_Nothing())])
def test_D04_a_record_may_be_small(value: object) -> None:
    record = Record(type(value))
    assert record.value(record.text(value)) == value


@dataclass
class _Float:
    price: float


@dataclass
class _Either:
    price: int | str


@dataclass
class _Pair:
    price: tuple[int, int]


@dataclass
class _Made:
    prices: list[int] = field(default_factory=list)


@pytest.mark.parametrize("kind", [_Float, _Either, _Pair, _Made, object])
def test_D04_a_type_that_could_not_be_exact_is_no_record(kind: type[object]) -> None:
    with pytest.raises(TypeError, match="cannot be recorded"):
        Record(kind)
