"""What is refused before an order exists: each reason says what would be right, and all of them come at once."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.matching_orders import AAPL, BUY, ES, SELL, price, quote

from trading_api.models.broker import OrderType, Side, StopType
from trading_api.modules.broker.domain.bracket_checks import bracket_problems, position_reference
from trading_api.modules.broker.domain.checks import order_problems, quantity_problems
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.order import NO_BRACKETS, Brackets
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.quote import Quote

MARKET, LIMIT, STOP, STOP_LIMIT = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
NOW = quote("99", "101")


@dataclass(frozen=True)
class Terms:
    """What an order asks for."""

    type: OrderType
    side: Side
    qty: Decimal = Decimal(10)
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    brackets: Brackets = NO_BRACKETS


def terms(
    kind: OrderType,
    side: Side = BUY,
    *,
    qty: str = "10",
    limit: str | None = None,
    stop: str | None = None,
    brackets: Brackets = NO_BRACKETS,
) -> Terms:
    return Terms(kind, side, Decimal(qty), price(limit), price(stop), brackets)


def texts(asked: Terms, now: Quote | None = NOW, *, instrument: TradedInstrument = AAPL) -> list[str]:
    return [problem.text for problem in order_problems(instrument, asked, now)]


def named(problem: Problem) -> str:
    """The field that it is about, as its text calls it."""
    assert problem.field is not None
    return problem.field.shown


@pytest.mark.parametrize(
    ("qty", "text"),
    [
        ("0", "qty 0 is not above 0; the least is 0.0001"),
        ("-0.0", "qty 0 is not above 0; the least is 0.0001"),
        ("-1.50", "qty -1.5 is not above 0; the least is 0.0001"),
        ("NaN", "qty NaN is not a finite number"),
        ("sNaN", "qty sNaN is not a finite number"),
        ("Infinity", "qty Infinity is not a finite number"),
        ("0.00005", "qty 0.00005 is not on the step of 0.0001; use 0.0001"),
        ("1.00015", "qty 1.00015 is not on the step of 0.0001; use 1.0001 or 1.0002"),
        ("1e12", None),
        ("1000000000000.0001", "qty 1000000000000.0001 is enormous; the most is 1000000000000"),
        ("1e999999999", "qty 1E+999999999 is enormous; the most is 1000000000000"),
        ("1e-999999999", "qty 1E-999999999 has more than 12 decimals; it must be on the step of 0.0001"),
        ("1.00000000000000000000", None),
        ("1." + "1" * 500, f"qty 1.{'1' * 38}… has more than 12 decimals; it must be on the step of 0.0001"),
    ],
)
def test_D03_a_quantity_is_positive_bounded_and_on_the_step(qty: str, text: str | None) -> None:
    assert texts(terms(MARKET, qty=qty)) == ([text] if text else [])


@pytest.mark.parametrize(
    ("instrument", "limit", "text"),
    [
        (AAPL, "0.29", None),  # 29.000000000000004 ticks to a float
        (AAPL, "1.234", "limitPrice 1.234 is not on the tick of 0.01; use 1.23 or 1.24"),
        (AAPL, "0.001", "limitPrice 0.001 is not on the tick of 0.01; use 0.01"),
        (AAPL, "-5", "limitPrice -5 is not above 0; the least is 0.01"),
        (AAPL, "NaN", "limitPrice NaN is not a finite number"),
        (AAPL, "1e13", "limitPrice 10000000000000 is enormous; the most is 1000000000000"),
        (AAPL, "1000000000000000.0", "limitPrice 1000000000000000 is enormous; the most is 1000000000000"),
        (AAPL, "1e40", "limitPrice 1E+40 is enormous; the most is 1000000000000"),
        (ES, "5000.75", None),
        (ES, "5000.80", "limitPrice 5000.8 is not on the tick of 0.25; use 5000.75 or 5001"),
    ],
)
def test_D03_a_price_is_exactly_on_the_tick(instrument: TradedInstrument, limit: str, text: str | None) -> None:
    assert texts(terms(LIMIT, limit=limit), now=None, instrument=instrument) == ([text] if text else [])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (terms(LIMIT), ["limitPrice is missing; a limit order needs one"]),
        (terms(STOP), ["stopPrice is missing; a stop order needs one"]),
        (
            terms(STOP_LIMIT),
            [
                "limitPrice is missing; a stop limit order needs one",
                "stopPrice is missing; a stop limit order needs one",
            ],
        ),
        (terms(MARKET, limit="100"), ["limitPrice 100 does not belong to a market order; leave it out"]),
        (terms(MARKET, stop="100.5"), ["stopPrice 100.5 does not belong to a market order; leave it out"]),
        (terms(LIMIT, limit="100", stop="1"), ["stopPrice 1 does not belong to a limit order; leave it out"]),
        (terms(STOP, limit="1", stop="102"), ["limitPrice 1 does not belong to a stop order; leave it out"]),
    ],
)
def test_D03_each_type_has_its_prices_and_no_other(asked: Terms, expected: list[str]) -> None:
    assert texts(asked) == expected


@pytest.mark.parametrize(
    ("side", "stop", "text"),
    [
        (BUY, "100.99", "stopPrice 100.99 is below 101, the ask; a buy stop waits for a rise: use 101 or above"),
        (BUY, "101", None),
        (SELL, "99.01", "stopPrice 99.01 is above 99, the bid; a sell stop waits for a fall: use 99 or below"),
        (SELL, "99", None),
    ],
)
@pytest.mark.parametrize("kind", [STOP, STOP_LIMIT])
def test_D03_a_stop_on_the_wrong_side_of_the_quote_is_refused(
    kind: OrderType, side: Side, stop: str, text: str | None
) -> None:
    asked = terms(kind, side, stop=stop, limit="100" if kind is STOP_LIMIT else None)
    assert texts(asked) == ([text] if text else [])
    assert texts(asked, now=None) == []
    assert order_problems(AAPL, asked, NOW, triggered=True) == ()


@pytest.mark.parametrize(
    ("side", "brackets", "expected"),
    [
        (BUY, Brackets(take_profit=Decimal("101.01"), stop_loss=Decimal("98.99")), []),
        (
            BUY,
            Brackets(take_profit=Decimal(101), stop_loss=Decimal(101)),
            [
                "takeProfit 101 is not above 101, the ask, at which the buy fills; use 101.01 or above",
                "stopLoss 101 is not below 99, the bid, at which the long position closes; use 98.99 or below",
            ],
        ),
        (SELL, Brackets(take_profit=Decimal("98.99"), guaranteed_stop=Decimal("101.01")), []),
        (
            SELL,
            Brackets(take_profit=Decimal(100), guaranteed_stop=Decimal(90)),
            [
                "takeProfit 100 is not below 99, the bid, at which the sell fills; use 98.99 or below",
                "guaranteedStop 90 is not above 101, the ask, at which the short closes; use 101.01 or above",
            ],
        ),
    ],
)
def test_D03_brackets_of_a_market_order_are_outside_the_spread(
    side: Side, brackets: Brackets, expected: list[str]
) -> None:
    assert texts(terms(MARKET, side, brackets=brackets)) == expected


@pytest.mark.parametrize(
    ("asked", "reference"),
    [
        (terms(LIMIT, BUY, limit="95"), "95, the limitPrice of the buy"),
        (terms(LIMIT, SELL, limit="105"), "105, the limitPrice of the sell"),
        (terms(STOP, BUY, stop="110"), "110, the stopPrice of the buy"),
        (terms(STOP_LIMIT, SELL, stop="90", limit="89"), "89, the limitPrice of the sell"),
    ],
)
def test_D03_brackets_are_measured_from_where_the_order_enters(asked: Terms, reference: str) -> None:
    above, below = Decimal(500), Decimal(1)
    wrong = Brackets(take_profit=below, stop_loss=above) if asked.side is BUY else Brackets(above, below)
    found = texts(Terms(asked.type, asked.side, asked.qty, asked.limit_price, asked.stop_price, wrong))
    assert [text.split(" is not ")[1].split(";")[0].split(" ", 1)[1] for text in found] == [reference] * 2


@pytest.mark.parametrize(
    ("asked", "stop", "right"),
    [
        (terms(LIMIT, BUY, limit="120"), "99", "98.99"),
        (terms(STOP, BUY, stop="101"), "99", "98.99"),
        (terms(STOP_LIMIT, BUY, stop="101", limit="102"), "100", "98.99"),
        (terms(LIMIT, SELL, limit="80"), "101", "101.01"),
        (terms(STOP, SELL, stop="99"), "100.50", "101.01"),
    ],
)
def test_D03_a_stop_inside_the_spread_of_an_entry_that_fills_now_is_refused(
    asked: Terms, stop: str, right: str
) -> None:
    def found(price: str) -> list[str]:
        brackets = Brackets(stop_loss=Decimal(price))
        return texts(Terms(asked.type, asked.side, asked.qty, asked.limit_price, asked.stop_price, brackets))

    (text,) = found(stop)
    assert text.startswith(f"stopLoss {stop.rstrip('0').rstrip('.')}")
    assert f"use {right} or " in text
    assert found(right) == []


def test_D03_without_a_quote_a_market_order_has_no_side_to_be_wrong_on() -> None:
    assert texts(terms(MARKET, brackets=Brackets(take_profit=Decimal(1))), now=None) == []


def test_D03_brackets_of_a_position_are_on_both_sides_of_where_it_closes() -> None:
    wrong = Brackets(take_profit=Decimal("99"), stop_loss=Decimal("99"))
    found = bracket_problems(AAPL, BUY, wrong, position_reference(BUY, NOW))
    assert [one.text for one in found] == [
        "takeProfit 99 is not above 99, the bid, at which the long position closes; use 99.01 or above",
        "stopLoss 99 is not below 99, the bid, at which the long position closes; use 98.99 or below",
    ]
    short = Brackets(take_profit=Decimal("100.99"), stop_loss=Decimal("101.01"))
    assert bracket_problems(AAPL, SELL, short, position_reference(SELL, NOW)) == ()


def test_D03_no_price_is_proposed_where_there_is_none() -> None:
    found = bracket_problems(
        AAPL, BUY, Brackets(stop_loss=Decimal("0.01")), position_reference(BUY, quote("0.01", "1"))
    )
    assert [one.text for one in found] == [
        "stopLoss 0.01 is not below 0.01, the bid, at which the long position closes; there is no price below that"
    ]


def test_D03_a_sell_stop_below_the_first_tick_is_told_that_there_is_none() -> None:
    (text,) = texts(terms(STOP, SELL, stop="0.01"), now=quote("0.005", "1"))
    assert text.endswith("a sell stop waits for a fall: there is no price at or below that")


@pytest.mark.parametrize(
    ("brackets", "field", "text"),
    [
        (
            Brackets(Decimal(110), Decimal(90), Decimal(90), Decimal(5)),
            "stopLoss",
            "stopLoss, trailingStopPips, guaranteedStop all protect the same position; give only one of them",
        ),
        (
            Brackets(stop_loss=Decimal(90), trailing_stop_pips=Decimal(5)),
            "stopLoss",
            "stopLoss and trailingStopPips both protect the same position; give only one of them",
        ),
        (
            Brackets(guaranteed_stop=Decimal(90), trailing_stop_pips=Decimal(5)),
            "trailingStopPips",
            "trailingStopPips and guaranteedStop both protect the same position; give only one of them",
        ),
        (
            Brackets(trailing_stop_pips=Decimal("1.5")),
            "trailingStopPips",
            "trailingStopPips 1.5 is not a whole number of pips; use 1 or 2",
        ),
        (
            Brackets(trailing_stop_pips=Decimal(-3)),
            "trailingStopPips",
            "trailingStopPips -3 is not above 0; the least is 1",
        ),
        (
            Brackets(trailing_stop_pips=Decimal(10100)),
            "trailingStopPips",
            "trailingStopPips 10100 is 101 in price, not below 101, the ask, at which the buy fills: "
            "its stop would be at 0 or less",
        ),
        (
            Brackets(stop_type=StopType.TRAILING_STOP),
            "stopType",
            "stopType 1 (TRAILING_STOP) needs trailingStopPips",
        ),
        (
            Brackets(stop_loss=Decimal(90), stop_type=StopType.GUARANTEED_STOP),
            "stopType",
            "stopType 2 (GUARANTEED_STOP) needs guaranteedStop, not stopLoss",
        ),
        (
            Brackets(trailing_stop_pips=Decimal(9), stop_type=StopType.STOP_LOSS),
            "stopType",
            "stopType 0 (STOP_LOSS) needs stopLoss, not trailingStopPips",
        ),
    ],
)
def test_D03_brackets_that_do_not_fit_together_are_refused(brackets: Brackets, field: str, text: str) -> None:
    found = order_problems(AAPL, terms(MARKET, brackets=brackets), NOW)
    assert [(named(one), one.text) for one in found] == [(field, text)]


@pytest.mark.parametrize(
    "brackets",
    [
        Brackets(stop_type=StopType.STOP_LOSS),  # what front ends send without any stop
        Brackets(stop_loss=Decimal(90), stop_type=StopType.STOP_LOSS),
        Brackets(trailing_stop_pips=Decimal(10099), stop_type=StopType.TRAILING_STOP),
        Brackets(guaranteed_stop=Decimal(90), stop_type=StopType.GUARANTEED_STOP),
    ],
)
def test_D03_brackets_that_fit_have_no_problem(brackets: Brackets) -> None:
    assert texts(terms(MARKET, brackets=brackets)) == []


def test_D03_a_refusal_gives_every_reason_at_once() -> None:
    brackets = Brackets(Decimal("90.001"), Decimal("NaN"), None, Decimal("0.5"), StopType.GUARANTEED_STOP)
    asked = terms(STOP_LIMIT, BUY, qty="-1", stop="50.005", limit="0", brackets=brackets)
    assert [named(one) for one in order_problems(AAPL, asked, NOW)] == [
        "qty",
        "limitPrice",
        "stopPrice",  # off its tick
        "stopPrice",  # below the ask
        "stopLoss",  # two stops
        "stopType",
        "takeProfit",
        "stopLoss",  # not a number
        "trailingStopPips",
    ]


def test_D03_a_number_that_is_no_price_has_one_reason_and_measures_nothing() -> None:
    zero = Brackets(take_profit=Decimal(0), stop_loss=Decimal(0))
    assert texts(terms(MARKET, brackets=zero)) == [
        "takeProfit 0 is not above 0; the least is 0.01",
        "stopLoss 0 is not above 0; the least is 0.01",
    ]


@pytest.mark.parametrize(("decimals", "fits"), [(12, True), (13, False)])
def test_D03_twelve_decimals_are_the_most(decimals: int, fits: bool) -> None:
    least = Decimal(1).scaleb(-decimals)
    fine = TradedInstrument("FINE", tick=least, step=least)
    assert (quantity_problems(Field.QTY, least, fine) == ()) is fits


def test_D03_the_amount_to_close_is_checked_like_a_quantity() -> None:
    (problem,) = quantity_problems(Field.AMOUNT, Decimal("0.5"), ES)
    assert problem.text == "amount 0.5 is not on the step of 1; use 1"


SANE = st.decimals(min_value="0.0001", max_value="1e13", places=4)
ANY = st.one_of(
    st.decimals(),
    st.builds(lambda digits, power: Decimal(digits).scaleb(power), st.integers(-99, 99), st.integers(-40, 40)),
    st.sampled_from([Decimal("1e999999999999"), Decimal("-1e-999999999999"), Decimal("sNaN"), Decimal(1)]),
)


@given(st.sampled_from(OrderType), st.sampled_from(Side), ANY, *[st.none() | ANY | SANE] * 6, st.none() | st.just(NOW))
def test_D03_no_number_breaks_the_checks_and_what_passes_is_exact(
    kind: OrderType,
    side: Side,
    qty: Decimal,
    limit: Decimal | None,
    stop: Decimal | None,
    profit: Decimal | None,
    loss: Decimal | None,
    guaranteed: Decimal | None,
    pips: Decimal | None,
    now: Quote | None,
) -> None:
    asked = Terms(kind, side, qty, limit, stop, Brackets(profit, loss, guaranteed, pips))
    found = order_problems(AAPL, asked, now)
    assert all(len(one.text) < 300 and one.text.startswith(named(one)) for one in found)
    wrong = {named(one) for one in found}
    if "qty" not in wrong:
        assert 0 < qty <= 10**12
        assert (qty * 10_000) == int(qty * 10_000)
    for field, value in {"limitPrice": limit, "stopPrice": stop, "takeProfit": profit}.items():
        if value is not None and field not in wrong:
            assert 0 < value * 100 == int(value * 100)
