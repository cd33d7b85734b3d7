"""Orders that waited for a market to meet: its first usable quote is their arrival (trading.md, "Fills")."""

from decimal import Decimal

import pytest
from support.broker_domain import NOON, SESSION_END, Bed, brackets

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.events import ExecutionEvent, OrderEvent
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.journal.record import Record

CLOSED, STALE = {"is_open": False}, {"stale": True}


def shut(how: dict[str, bool] | None) -> Bed:
    """A bed whose market cannot be traded: closed, stale, or (None) without a quote."""
    bed = Bed()
    bed.quote(*((None, None) if how is None else ("100", "100.10")), **(how or {}))  # type: ignore[arg-type]
    return bed


def price(bed: Bed) -> Decimal:
    """Of the one trade among the last events."""
    (trade,) = [event.execution for event in bed.last if isinstance(event, ExecutionEvent)]
    return trade.price


@pytest.mark.parametrize("how", [CLOSED, STALE, None])
def test_D03_the_first_usable_quote_is_the_arrival_of_an_order_that_waited_for_it(how: dict[str, bool] | None) -> None:
    bed = shut(how)
    bed.buy(1, limit=105)
    bed.quote("101", "101.10")
    assert price(bed) == Decimal("101.10")
    bed = shut(how)
    bed.sell(1, limit=90)
    bed.quote("101", "101.10")
    assert price(bed) == Decimal("101")


@pytest.mark.parametrize("how", [CLOSED, STALE, None])
def test_D03_an_order_that_was_not_marketable_when_it_met_the_market_fills_at_its_limit(
    how: dict[str, bool] | None,
) -> None:
    bed = shut(how)
    order = bed.buy(1, limit=99)
    assert not bed.find(order).arrived
    bed.quote("100", "100.10")
    assert bed.find(order).arrived
    assert bed.quote("100", "100.10") == []
    bed.quote("90", "90.10", is_open=False)
    bed.quote("90", "90.10")
    assert price(bed) == Decimal("99")


def test_D03_an_order_that_meets_the_market_as_it_is_placed_has_arrived() -> None:
    bed = Bed()
    order = bed.buy(1, limit=99)
    assert bed.find(order).arrived
    assert bed.quote("100", "100.10") == []


@pytest.mark.parametrize("arrives", [True, False])
def test_D03_whether_an_order_has_met_the_market_outlives_a_restart(arrives: bool) -> None:
    bed = shut(CLOSED)
    order = bed.buy(1, limit=99)
    if arrives:
        bed.quote("100", "100.10")
    record = Record(Order)
    again, state = Desk(), bed.state
    state.orders[order] = record.value(record.text(state.orders[order]))
    again.add(state)
    cheap = Bed()
    cheap.quote("98", "98.10")
    view = cheap.view("AAPL")
    assert view is not None
    trades = [event.execution.price for event in again.on_market(view, NOON) if isinstance(event, ExecutionEvent)]
    assert trades == [Decimal("99") if arrives else Decimal("98.10")]


def test_D03_a_new_price_given_while_the_market_is_closed_has_not_met_it() -> None:
    bed = Bed()
    order = bed.buy(1, limit=99)
    bed.quote("100", "100.10", is_open=False)
    bed.modify(order, qty=2)
    assert bed.find(order).arrived
    bed.modify(order, limit_price=105)
    assert not bed.find(order).arrived
    bed.quote("101", "101.10")
    assert price(bed) == Decimal("101.10")


def test_D03_a_take_profit_given_while_the_market_is_closed_fills_at_the_quote_that_opens_it() -> None:
    bed = Bed()
    bed.buy(1)
    bed.quote("100", "100.10", is_open=False)
    bed.protect(take_profit=110, stop_loss=90)
    bed.quote("120", "120.10")
    assert price(bed) == Decimal("120")


def test_D03_stops_trigger_as_ever_after_a_closed_market() -> None:
    bed = shut(CLOSED)
    stop = bed.buy(1, stop=101)
    limit = bed.buy(1, stop=101, limit=103)
    bed.quote("102", "102.10")
    assert {bed.find(order).avg_price for order in (stop, limit)} == {Decimal("102.10")}


def test_D03_the_arrival_of_one_account_is_told_to_it_alone_and_once() -> None:
    bed = shut(None)
    bed.desk.open("B")
    order = bed.buy(1, limit=99)
    bed.quote("100", "100.10")
    (told,) = bed.last
    assert isinstance(told, OrderEvent)
    assert (told.order.id, told.order.status) == (order, OrderStatus.WORKING)


def test_D03_a_closed_market_says_when_it_opens() -> None:
    bed = shut(CLOSED)
    seen = bed.views["AAPL"]
    bed.views["AAPL"] = MarketView(seen.instrument, seen.quote, False, False, SESSION_END, NOON, NOON + 60_000)
    refusal = bed.refused(bed.order(Side.BUY, OrderType.MARKET, 1))
    assert refusal.reason == "The market of AAPL is closed; it opens at 2023-11-14 22:14 UTC."
    bed.views["AAPL"] = MarketView(seen.instrument, seen.quote, False, False, SESSION_END, NOON, NOON - 60_000)
    assert bed.refused(bed.order(Side.BUY, OrderType.MARKET, 1)).reason == "The market of AAPL is closed."


def test_D03_a_stop_inside_the_spread_does_not_stop_its_own_entry_out() -> None:
    bed = Bed()
    bed.quote("99", "101")
    assert (
        "use 98.99 or below"
        in bed.refused(bed.order(Side.BUY, OrderType.MARKET, 1, protect=brackets(stop_loss=100))).reason
    )
    bed.buy(1, protect=brackets("101.01", "98.99"))
    assert [order.status for order in bed.live_brackets] == [OrderStatus.WORKING] * 2
