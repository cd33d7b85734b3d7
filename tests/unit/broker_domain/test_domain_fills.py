"""Fills (trading.md, "Fills"): at which price, in which order of events, and what a quote does to several orders."""

from decimal import Decimal

import pytest
from support.broker_domain import ACCOUNT, NOON, Bed, brackets, kinds

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.events import EquityEvent, ExecutionEvent, OrderEvent
from trading_api.modules.broker.domain.order import Message
from trading_api.modules.broker.domain.requests import ModifyOrder, PlaceOrder


def trades(bed: Bed) -> list[tuple[str, Decimal]]:
    """Order and price of the last trades."""
    return [
        (event.execution.order_id, event.execution.price) for event in bed.last if isinstance(event, ExecutionEvent)
    ]


def test_D03_a_market_buy_fills_at_the_ask_and_a_sell_at_the_bid() -> None:
    bed = Bed()
    assert trades(bed) == []
    buy = bed.buy(10)
    assert trades(bed) == [(buy, Decimal("100.01"))]
    sell = bed.sell(10)
    assert trades(bed) == [(sell, Decimal("99.99"))]
    assert bed.find(sell).avg_price == Decimal("99.99")


def test_D03_the_events_of_a_fill_are_execution_order_position_equity() -> None:
    bed = Bed()
    bed.buy(10)
    assert kinds(bed.last) == ["Execution", "Order", "Position", "Equity"]
    assert [event.seq for event in bed.last] == [1, 2, 3, 4]
    assert {event.time_ms for event in bed.last} == {NOON}
    assert isinstance(bed.last[-1], EquityEvent)
    assert bed.last[-1].equity == bed.equity


def test_D03_a_limit_that_rests_fills_at_its_limit_and_a_marketable_one_at_the_quote() -> None:
    bed = Bed()
    resting = bed.buy(10, limit="99.50")
    assert bed.status(resting) is OrderStatus.WORKING
    assert bed.quote("99.40", "99.51") == []
    bed.quote("99.00", "99.10")
    assert trades(bed) == [(resting, Decimal("99.50"))]
    marketable = bed.buy(10, limit="105")
    assert trades(bed) == [(marketable, Decimal("99.10"))]


def test_D03_a_gap_fills_a_stop_at_the_gapped_quote() -> None:
    bed = Bed()
    buy = bed.buy(10, stop="101")
    sell = bed.sell(10, stop="99")
    bed.quote("102.98", "103")
    assert trades(bed) == [(buy, Decimal("103"))]
    bed.quote("95", "95.02")
    assert trades(bed) == [(sell, Decimal("95"))]


def test_D03_a_stop_limit_that_gaps_past_its_limit_becomes_a_limit_that_waits() -> None:
    bed = Bed()
    order = bed.buy(10, stop="101", limit="101.50")
    bed.quote("102.98", "103")
    assert (bed.find(order).triggered, bed.status(order)) == (True, OrderStatus.WORKING)
    bed.quote("101.40", "101.45")
    assert trades(bed) == [(order, Decimal("101.50"))]


def test_D03_a_stop_limit_that_is_hit_on_arrival_waits_as_a_limit() -> None:
    bed = Bed()
    order = bed.buy(10, stop="100.01", limit="99")
    assert bed.find(order).triggered
    bed.quote("98", "99")
    assert trades(bed) == [(order, Decimal("99"))]


def test_D03_a_stop_limit_says_that_it_was_triggered_and_its_stop_is_then_fixed() -> None:
    bed = Bed()
    order = bed.buy(10, stop="105", limit="105.50")
    assert bed.find(order).message is None
    bed.quote("106", "106.30")
    said = Message("information", "Triggered: its stop price 105 was reached. From then on it is a limit order.")
    assert bed.find(order).message == said
    for stop in ("50", "200"):
        refusal = bed.refused(ModifyOrder(order, stop_price=Decimal(stop)))
        assert refusal.reason == f"stopPrice of order {order} cannot change any more: it was triggered at 105."
    assert bed.modify(order, stop_price="105", limit_price="105.60") == f"Order {order} was modified."
    assert (bed.find(order).stop_price, bed.find(order).message) == (Decimal(105), said)
    bed.quote("105.50", "105.60")
    assert trades(bed) == [(order, Decimal("105.60"))]


def test_D03_a_stop_limit_that_was_filled_in_part_by_hand_is_triggered_too() -> None:
    bed = Bed()
    order = bed.buy(10, stop="105", limit="105.50")
    bed.fill(order, 4)
    told = bed.find(order).message
    assert told is not None
    assert told.text.startswith("Triggered: its stop price 105")
    assert "cannot change any more" in bed.refused(ModifyOrder(order, stop_price=Decimal(106))).reason


def test_D03_orders_of_all_accounts_fill_by_price_and_then_by_time() -> None:
    bed = Bed()
    bed.desk.open("B")
    first = bed.buy(1, limit="99.50")
    request = PlaceOrder("AAPL", OrderType.LIMIT, Side.BUY, Decimal(1), Decimal("99.80"))
    better = bed.desk.execute("B", request, bed.view, NOON + 1).result
    bed.now_ms = NOON + 2
    later = bed.buy(1, limit="99.50")
    events = bed.quote("99", "99.10")
    filled = [(event.account_id, event.execution.order_id) for event in events if isinstance(event, ExecutionEvent)]
    assert filled == [("B", better), (ACCOUNT, first), (ACCOUNT, later)]
    assert [event.seq for event in events if event.account_id == "B"] == [2, 3, 4, 5]


@pytest.mark.parametrize("how", [{"stale": True}, {"is_open": False}])
def test_D03_a_stale_quote_or_a_closed_market_fills_nothing(how: dict[str, bool]) -> None:
    bed = Bed()
    bed.buy(1, limit="99.50")
    assert bed.quote("90", "91", **how) == []  # type: ignore[arg-type]
    assert kinds(bed.quote("90", "91")) == ["Execution", "Order", "Position", "Equity"]


def test_D03_the_quote_that_fills_an_entry_also_reaches_its_brackets() -> None:
    """What filled it is still the market: the limit trades at its limit, then the stop at the bid."""
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(105, "98"))
    bed.quote("95", "95.02")
    assert trades(bed) == [(entry, Decimal("99")), (bed.find("3").id, Decimal("95"))]
    assert bed.state.positions == {}
    assert bed.state.orders == {}
    assert bed.state.realized == -40


def test_D03_a_take_profit_that_is_marketable_when_it_begins_fills_at_the_opposing_quote() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets("100.50"))
    bed.fill(entry)
    assert bed.state.positions
    bed = Bed()
    entry = bed.sell(10, stop="99", protect=brackets("98.50"))
    bed.quote("97", "97.02")
    # the stop sells at 97, and buying back at 98.50 or less is possible at 97.02
    assert trades(bed) == [(entry, Decimal("97")), ("2", Decimal("97.02"))]


def test_D03_a_refused_fill_takes_nothing_from_another_order() -> None:
    bed = Bed()
    bed.buy(10)
    bed.quote("100", "100.02")
    before = bed.state.seq
    bed.refused(bed.order(Side.BUY, OrderType.MARKET, 1_000_000))
    assert kinds(bed.last) == ["Order"]
    assert bed.state.seq == before + 1


def test_D03_a_desk_knows_the_symbols_that_it_needs_quotes_for() -> None:
    bed = Bed()
    bed.quote("50", symbol="MSFT")
    assert bed.desk.symbols() == frozenset()
    order = bed.buy(1, limit="49", symbol="MSFT")
    bed.buy(1)
    assert bed.desk.symbols() == {"AAPL", "MSFT"}
    bed.cancel(order)
    assert bed.desk.symbols() == {"AAPL"}
    bed.close()
    assert bed.desk.symbols() == frozenset()


def test_D03_a_desk_that_is_given_its_accounts_again_goes_on() -> None:
    bed = Bed()
    order = bed.buy(10, limit="99", protect=brackets(110, 90))
    bed.buy(1)
    again = Desk()
    again.add(bed.state)
    assert again.has(ACCOUNT)
    assert again.symbols() == {"AAPL"}
    with pytest.raises(ValueError, match="on the desk already"):
        again.add(bed.state)
    view = bed.view("AAPL")
    assert view is not None
    bed.quote("98", "99", is_open=False)
    told = again.on_market(bed.views["AAPL"], NOON)
    assert told == ()
    bed.views.clear()
    events = again.on_market(Bed().views["AAPL"], NOON)
    assert events == ()
    cheap = Bed()
    cheap.quote("98.90", "98.99")
    events = again.on_market(cheap.views["AAPL"], NOON)
    assert [event.order.status for event in events if isinstance(event, OrderEvent) and event.order.id == order] == [
        OrderStatus.FILLED
    ]
