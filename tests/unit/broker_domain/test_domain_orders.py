"""Placing, modifying, canceling and closing: what is refused, and how long orders last (trading.md, "Broker")."""

from dataclasses import replace
from decimal import Decimal

import pytest
from support.broker_domain import NOON, SESSION_END, Bed, D, brackets, kinds

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.events import OrderEvent
from trading_api.modules.broker.domain.order import Message
from trading_api.modules.broker.domain.requests import (
    CancelOrder,
    ClosePosition,
    ExecuteOrders,
    Fill,
    ModifyOrder,
    PlaceOrder,
)

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
WAITS = "or place an order with a price: it waits for one."
AFRESH = f"Try again when there is a new one, {WAITS}"
DAY, IOC, FOK = (Duration(kind) for kind in (DurationKind.DAY, DurationKind.IOC, DurationKind.FOK))


@pytest.mark.parametrize(
    ("bid", "how", "words"),
    [
        (None, {}, f"There is no quote for AAPL. Try again when there is one, {WAITS}"),
        ("100", {"stale": True}, f"The last quote for AAPL is stale: it is 0 s old. {AFRESH}"),
        ("100", {"is_open": False}, "The market of AAPL is closed."),
    ],
)
def test_D03_a_market_order_without_a_quote_to_trade_at_is_rejected(
    bid: str | None, how: dict[str, bool], words: str
) -> None:
    bed = Bed()
    bed.quote(bid, **how)  # type: ignore[arg-type]
    refusal = bed.refused(bed.order(BUY, MARKET, 1))
    assert refusal.reason == words
    assert bed.status(refusal.order_id or "") is OrderStatus.REJECTED
    waits = bed.buy(1, limit=90)
    assert bed.status(waits) is OrderStatus.WORKING


@pytest.mark.parametrize(("seconds", "age"), [(61, "61 s"), (150, "2 minutes"), (7200, "2 hours"), (200_000, "2 days")])
def test_D03_a_stale_quote_is_told_with_its_age(seconds: int, age: str) -> None:
    bed = Bed()
    bed.quote("100", stale=True)
    view = bed.views["AAPL"]
    bed.views["AAPL"] = replace(view, now_ms=view.now_ms + seconds * 1000)
    assert f"The last quote for AAPL is stale: it is {age} old." in bed.refused(bed.order(BUY, MARKET, 1)).reason


@pytest.mark.parametrize(
    ("qty", "limit", "words"),
    [
        ("1", "100.001", "is not on the tick of 0.01; use 100 or 100.01"),
        ("0.00015", "100", "is not on the step of 0.0001"),
        ("0", "100", "is not above 0"),
        ("-1", "100", "is not above 0"),
        ("1E+13", "100", "is enormous"),
        ("NaN", "100", "is not a finite number"),
        ("Infinity", "100", "is not a finite number"),
        ("1", None, "limitPrice is missing"),
        ("1", "NaN", "is not a finite number"),
    ],
)
def test_D03_an_order_that_is_not_well_formed_is_refused_and_not_stored(
    qty: str, limit: str | None, words: str
) -> None:
    bed = Bed()
    refusal = bed.refused(PlaceOrder("AAPL", LIMIT, BUY, D(qty), limit and D(limit)))  # type: ignore[arg-type]
    assert refusal.kind == "invalid"
    assert words in refusal.reason
    assert (refusal.order_id, bed.last) == (None, [])


def test_D03_a_price_of_29_cents_is_on_a_tick_of_a_cent() -> None:
    bed = Bed()
    assert bed.find(bed.buy(1, limit="0.29")).limit_price == D("0.29")


def test_D03_a_stop_on_the_wrong_side_and_an_unknown_symbol_are_refused() -> None:
    bed = Bed()
    assert "is below 100.01, the ask" in bed.refused(bed.order(BUY, STOP, 1, stop=99)).reason
    assert "is above 99.99, the bid" in bed.refused(bed.order(SELL, STOP, 1, stop=101)).reason
    assert bed.refused(bed.order(BUY, MARKET, 1, symbol="NOPE")).reason == "The market of NOPE is not known."


def test_D03_a_symbol_may_be_named_with_its_exchange_in_any_case() -> None:
    bed = Bed()
    bed.buy(1, symbol="nasdaq:aapl")
    assert list(bed.state.positions) == ["AAPL"]
    assert bed.done(ClosePosition("NASDAQ:AAPL")) == "Position AAPL was closed."


@pytest.mark.parametrize("request_of", [CancelOrder, ModifyOrder, lambda name: ExecuteOrders((Fill(name),))])
def test_D03_an_unknown_or_final_order_is_refused_with_words(request_of: type[CancelOrder]) -> None:
    bed = Bed()
    filled = bed.buy(1)
    assert bed.refused(request_of(filled)).reason == "Order 1 is Filled already."
    assert bed.refused(request_of("99")).reason == "Order 99 is not known."
    assert bed.refused(request_of("drop table")).reason == "Order drop table is not known."
    bed.state.finals.clear()  # as after a restart
    assert bed.refused(request_of("1")).reason == "Order 1 is final already: Filled, Canceled or Rejected."
    assert bed.last == []


def test_D03_the_last_1000_final_orders_are_remembered_by_their_status() -> None:
    bed = Bed()
    for _ in range(1001):
        bed.cancel(bed.buy(1, limit=90))
    assert bed.refused(CancelOrder("1")).reason.startswith("Order 1 is final already")
    assert bed.refused(CancelOrder("2")).reason == "Order 2 is Canceled already."


def test_D03_a_canceled_order_keeps_what_it_filled() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99)
    bed.fill(order, 4)
    assert bed.cancel(order) == f"Order {order} was canceled."
    canceled = bed.find(order)
    assert (canceled.status, canceled.filled_qty, canceled.avg_price) == (OrderStatus.CANCELED, D(4), D(99))
    assert bed.state.reserved == 0


@pytest.mark.parametrize("amount", ["0", "-1", "11", "0.00001", "NaN", "Infinity"])
def test_D03_closing_more_than_is_held_or_nonsense_is_refused(amount: str) -> None:
    bed = Bed()
    bed.buy(10)
    refusal = bed.refused(ClosePosition("AAPL", D(amount)))
    assert (refusal.kind, bed.last) == ("invalid", [])


def test_D03_closing_needs_a_position_and_a_market() -> None:
    bed = Bed()
    assert bed.refused(ClosePosition("AAPL")).kind == "not_found"
    bed.buy(10)
    bed.quote("100", is_open=False)
    refusal = bed.refused(ClosePosition("AAPL"))
    assert (refusal.kind, refusal.reason) == ("invalid", "The market of AAPL is closed.")
    assert bed.position().qty == 10


def test_D03_closing_is_a_market_order_the_other_way() -> None:
    bed = Bed()
    bed.sell(10)
    assert bed.close(4) == "Position AAPL was reduced by 4."
    assert kinds(bed.last) == ["Execution", "Order", "Position", "Equity"]
    assert bed.close() == "Position AAPL was closed."
    assert bed.find("3").is_close


def test_D03_an_order_that_may_only_close_never_opens() -> None:
    bed = Bed()
    words = bed.refused(bed.order(SELL, MARKET, 1, is_close=True)).reason
    assert words == "There is no long position in AAPL to close."
    bed.buy(10)
    assert "Only 10 of AAPL are held" in bed.refused(bed.order(SELL, MARKET, 11, is_close=True)).reason
    assert "takes no brackets" in bed.refused(bed.order(SELL, MARKET, 1, is_close=True, protect=brackets(90))).reason
    limit = bed.sell(10, limit=101, is_close=True)
    late = bed.sell(10, limit=102, is_close=True)
    bed.close(4)
    bed.quote("105")
    assert (bed.find(limit).status, bed.find(limit).filled_qty) == (OrderStatus.CANCELED, D(6))
    assert (bed.find(late).status, bed.find(late).filled_qty) == (OrderStatus.CANCELED, D(0))
    assert bed.state.positions == {}


@pytest.mark.parametrize("sold", [10, 15], ids=["closed", "turned"])
def test_D03_an_order_that_may_only_close_goes_with_its_position(sold: int) -> None:
    bed = Bed()
    bed.buy(10)
    limit = bed.sell(10, limit=110, is_close=True)
    stop = bed.sell(4, stop=90, is_close=True)
    plain = bed.sell(1, limit=120)
    other = bed.buy(1, limit=90)
    bed.sell(sold)
    assert kinds(bed.last) == ["Execution", "Order", "Position", "Equity", "Order", "Order"], "one transaction"
    for order in (limit, stop):
        gone = bed.find(order)
        assert (gone.status, gone.message) == (
            OrderStatus.CANCELED,
            Message("information", "Its position is closed; there is nothing left for it to reduce."),
        )
    assert {bed.status(plain), bed.status(other)} == {OrderStatus.WORKING}


def test_D03_an_order_that_may_only_close_closes_what_is_left_at_most() -> None:
    bed = Bed()
    bed.buy(10)
    limit = bed.sell(10, limit=110, is_close=True)
    bed.sell(4)
    assert bed.status(limit) is OrderStatus.WORKING
    bed.quote("110", "110.02")
    assert (bed.find(limit).status, bed.find(limit).filled_qty) == (OrderStatus.CANCELED, D(6))
    assert bed.state.positions == {}


def test_D03_brackets_and_orders_that_close_go_together_and_each_once() -> None:
    bed = Bed()
    bed.buy(10, protect=brackets(120, 90))
    closing = bed.sell(10, stop=90, is_close=True)
    bed.quote("80", "80.02")
    assert (len(bed.state.positions), len(bed.state.orders)) == (0, 0)
    told = [event.order.id for event in bed.last if isinstance(event, OrderEvent)]
    assert sorted(told) == sorted(set(told)) == ["2", "3", closing]


def test_D03_an_order_that_may_only_close_goes_with_its_position_after_a_restart_too() -> None:
    bed = Bed()
    bed.buy(10)
    limit = bed.sell(10, limit=110, is_close=True)
    bed.state.index()
    bed.close()
    assert bed.status(limit) is OrderStatus.CANCELED


def test_D03_a_quantity_above_filled_goes_on_equal_is_filled_and_below_is_refused() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99, protect=brackets(110, 90))
    bed.fill(order, 4)
    refusal = bed.refused(ModifyOrder(order, qty=D(3)))
    assert refusal.reason == "qty 3 is below what is filled, 4."
    bed.modify(order, qty=6)
    assert (bed.status(order), bed.find(order).remaining) == (OrderStatus.WORKING, D(2))
    bed.modify(order, qty=4)
    assert bed.status(order) is OrderStatus.FILLED
    assert {bracket.qty for bracket in bed.live_brackets} == {4}
    assert bed.state.reserved == 0


def test_D03_a_quantity_of_0_is_refused_not_filled() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99)
    assert "is not above 0" in bed.refused(ModifyOrder(order, qty=D(0))).reason


def test_D03_a_modified_limit_that_is_marketable_fills_at_the_quote() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99)
    bed.modify(order, limit_price="100.50")
    assert (bed.status(order), bed.find(order).avg_price) == (OrderStatus.FILLED, D("100.01"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (ModifyOrder("1", symbol="MSFT"), "The symbol of order 1 cannot change"),
        (ModifyOrder("1", type=OrderType.MARKET), "The type of order 1 cannot change: it is LIMIT (1)."),
        (ModifyOrder("1", side=Side.SELL), "The side of order 1 cannot change: it is BUY (1)."),
        (ModifyOrder("1", limit_price=D("99.001")), "is not on the tick"),
        (ModifyOrder("1", stop_price=D("99")), "does not belong to a limit order"),
        (ModifyOrder("1", brackets=brackets(98)), "takeProfit 98 is not above 99"),
        (ModifyOrder("1", duration=Duration(DurationKind.GTD, NOON)), "is past"),
    ],
)
def test_D03_a_modification_is_checked_like_a_new_order_and_refused_whole(change: ModifyOrder, words: str) -> None:
    bed = Bed()
    bed.buy(10, limit=99)
    assert words in bed.refused(change).reason
    assert bed.last == []


def test_D03_a_stop_that_stays_where_it_was_is_not_judged_again() -> None:
    bed = Bed()
    order = bed.buy(10, stop=101)
    bed.quote("103", is_open=False)
    bed.modify(order, qty=5)
    assert bed.find(order).qty == 5
    assert "is below 103, the ask" in bed.refused(ModifyOrder(order, stop_price=D(102))).reason


def test_D03_a_whole_order_sent_back_unchanged_changes_nothing() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99)
    same = ModifyOrder(order, D(10), D(99), symbol="NASDAQ:AAPL", type=LIMIT, side=BUY)
    assert bed.done(same) == "Order 1 is unchanged."
    assert bed.last == []


def test_D03_a_day_order_expires_when_the_session_ends_by_the_feed_s_clock() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99, duration=DAY, protect=brackets(110, 90))
    good = bed.buy(10, limit=98)
    bed.quote("100", at=SESSION_END - 1)
    assert bed.status(order) is OrderStatus.WORKING
    bed.quote("97", at=SESSION_END, is_open=False)
    assert bed.status(order) is OrderStatus.CANCELED
    message = bed.find(order).message
    assert message is not None
    assert message.text == "Expired: the session is over."
    assert not bed.live_brackets
    assert bed.status(good) is OrderStatus.WORKING


def test_D03_a_day_order_placed_while_the_market_is_closed_lasts_for_the_next_session() -> None:
    bed = Bed()
    bed.quote("100", is_open=False, session_end=SESSION_END + 500)
    order = bed.buy(10, limit=99, duration=DAY)
    bed.quote("100", at=SESSION_END, is_open=False)
    assert bed.status(order) is OrderStatus.WORKING
    bed.quote("100", at=SESSION_END + 500)
    assert bed.status(order) is OrderStatus.CANCELED


def test_D03_an_order_good_till_a_moment_ends_then_and_before_the_quote_of_that_moment() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99, duration=Duration(DurationKind.GTD, NOON + 1000))
    bed.fill(order, 4)
    bed.quote("90", at=NOON + 1000)
    ended = bed.find(order)
    assert (ended.status, ended.filled_qty, bed.state.reserved) == (OrderStatus.CANCELED, D(4), D(0))
    assert (
        "is past" in bed.refused(bed.order(BUY, LIMIT, 1, limit=99, duration=Duration(DurationKind.GTD, NOON))).reason
    )


@pytest.mark.parametrize("duration", [IOC, FOK])
def test_D03_an_immediate_order_fills_at_once_or_is_canceled_at_once(duration: Duration) -> None:
    bed = Bed()
    fills = bed.buy(10, limit=101, duration=duration)
    assert (bed.status(fills), bed.find(fills).avg_price) == (OrderStatus.FILLED, D("100.01"))
    misses = bed.buy(10, limit=99, duration=duration, protect=brackets(110, 90))
    assert bed.status(misses) is OrderStatus.CANCELED
    assert kinds(bed.last) == ["Order"]
    assert bed.state.reserved == 0


def test_D03_an_order_that_is_made_immediate_does_not_rest() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99)
    bed.done(ModifyOrder(order, duration=IOC))
    assert bed.status(order) is OrderStatus.CANCELED


def test_D03_executing_by_hand_is_all_of_it_or_refused() -> None:
    bed = Bed()
    first, second = bed.buy(10, limit=99), bed.sell(10, stop=98)
    child = bed.buy(1, limit=95, protect=brackets(stop_loss=90))
    assert "waits for its parent" in bed.refused(ExecuteOrders((Fill(first), Fill(str(int(child) + 1))))).reason
    assert "Only 10 of order 1 are left" in bed.refused(ExecuteOrders((Fill(first, D(11)),))).reason
    assert "on the step" in bed.refused(ExecuteOrders((Fill(first, D("0.00001")),))).reason
    assert "price -1" in bed.refused(ExecuteOrders((Fill(first, None, D(-1)),))).reason
    assert bed.last == []
    assert bed.done(ExecuteOrders(())) == "0 orders were executed."
    assert bed.done(ExecuteOrders()) == "3 orders were executed."
    assert bed.find(first).avg_price == 99
    assert bed.find(second).avg_price == 98
    assert bed.fill(bed.stop.id, price="91.50") == "1 order was executed."
    assert bed.state.positions == {}


def test_D03_the_average_price_of_an_order_is_weighted_over_its_fills() -> None:
    bed = Bed()
    order = bed.buy(10, limit=99)
    bed.fill(order, 1, "99")
    bed.fill(order, 2, "98.50")
    assert bed.find(order).avg_price == D("98.666666666667")
    bed.fill(order, 7, "98")
    assert bed.find(order).avg_price == (D(99) + 2 * D("98.50") + 7 * D(98)) / 10
    assert bed.position().cost == D(99) + 197 + 686


def test_D03_custom_fields_stay_with_the_order() -> None:
    bed = Bed()
    order = bed.done(PlaceOrder("AAPL", LIMIT, BUY, Decimal(1), Decimal(99), custom_fields='{"a": 1}'))
    bed.cancel(order)
    assert bed.find(order).custom_fields == '{"a": 1}'
