"""Brackets (trading.md): child orders, one-cancels-other, shrinking, and that they never open a position."""

from decimal import Decimal

import pytest
from support.broker_domain import Bed, D, brackets, kinds

from trading_api.models.broker import OrderStatus, OrderType, ParentType, Side, StopType
from trading_api.modules.broker.domain.events import ExecutionEvent, OrderEvent
from trading_api.modules.broker.domain.requests import ClosePosition, EditBrackets, ModifyOrder

INACTIVE, WORKING, CANCELED, FILLED = (
    OrderStatus.INACTIVE,
    OrderStatus.WORKING,
    OrderStatus.CANCELED,
    OrderStatus.FILLED,
)


def long_10(bed: Bed) -> None:
    """A position of 10 with a take profit (order 2… 3) at 110 and a stop at 90."""
    bed.buy(10, protect=brackets(110, 90))


def last_status(bed: Bed) -> dict[str, OrderStatus]:
    return {event.order.id: event.order.status for event in bed.last if isinstance(event, OrderEvent)}


def test_D03_brackets_wait_under_their_order_and_work_under_the_position_after_the_fill() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(110, 90))
    for bracket, kind in ((bed.profit, OrderType.LIMIT), (bed.stop, OrderType.STOP)):
        assert (bracket.status, bracket.parent_id, bracket.parent_type) == (INACTIVE, entry, ParentType.ORDER)
        assert (bracket.type, bracket.side, bracket.qty) == (kind, Side.SELL, D(10))
    bed.quote("98.98", "99")
    for bracket in (bed.profit, bed.stop):
        assert (bracket.status, bracket.parent_id, bracket.parent_type) == (WORKING, "AAPL", ParentType.POSITION)
        assert bracket.qty == 10
    assert kinds(bed.last) == ["Execution", "Order", "Position", "Equity", "Order", "Order"]


def test_D03_brackets_of_an_order_that_fills_at_once_work_at_once() -> None:
    bed = Bed()
    long_10(bed)
    assert {order.status for order in bed.live_brackets} == {WORKING}
    assert bed.profit.oco_id == bed.stop.oco_id == "1"
    assert bed.stop.stop_type is StopType.STOP_LOSS


@pytest.mark.parametrize(("bid", "fills", "price"), [("111", "take_profit", "110"), ("88", "stop_loss", "88")])
def test_D03_one_bracket_filling_cancels_the_other_in_the_same_outcome(bid: str, fills: str, price: str) -> None:
    bed = Bed()
    long_10(bed)
    ids = {bed.profit.role.value: bed.profit.id, bed.stop.role.value: bed.stop.id}
    bed.quote(bid)
    (trade,) = (event.execution for event in bed.last if isinstance(event, ExecutionEvent))
    assert (trade.order_id, trade.price) == (ids[fills], Decimal(price))
    other = ids.keys() - {fills}
    assert last_status(bed) == {ids[fills]: FILLED, ids[other.pop()]: CANCELED}
    assert bed.state.orders == {}
    assert bed.state.positions == {}
    assert kinds(bed.last) == ["Execution", "Order", "Position", "Equity", "Order"]


def test_D03_if_one_quote_reaches_both_the_stop_wins() -> None:
    bed = Bed()
    bed.quote("99", "101")
    bed.sell(
        10, protect=brackets("98", "103")
    )  # short: bought back at the ask, by the stop from 103, by the profit to 98
    stop = bed.stop.id
    bed.modify(bed.profit.id, limit_price="98.50")
    bed.quote("90", "103")
    assert last_status(bed)[stop] is FILLED


def test_D03_a_partial_close_shrinks_both_and_a_close_cancels_both() -> None:
    bed = Bed()
    long_10(bed)
    bed.close(4)
    assert (bed.profit.qty, bed.stop.qty) == (D(6), D(6))
    bed.close()
    assert bed.state.orders == {}
    assert set(last_status(bed).values()) == {FILLED, CANCELED}


def test_D03_a_reversal_cancels_the_brackets_of_the_old_side() -> None:
    bed = Bed()
    long_10(bed)
    bed.sell(15, protect=brackets(90, 110))
    assert bed.position().side is Side.SELL
    assert {order.side for order in bed.live_brackets} == {Side.BUY}
    assert (bed.profit.qty, bed.profit.limit_price) == (D(5), D(90))


def test_D03_canceling_an_order_cancels_the_brackets_under_it() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(110, 90))
    bed.cancel(entry)
    assert set(last_status(bed).values()) == {CANCELED}
    assert bed.state.orders == {}


def test_D03_brackets_of_a_partly_filled_order_cover_what_is_filled_and_grow_with_it() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(110, 90))
    bed.fill(entry, 4)
    assert (bed.profit.qty, bed.stop.qty, bed.find(entry).filled_qty) == (D(4), D(4), D(4))
    bed.fill(entry, 3)
    assert (bed.profit.qty, bed.stop.qty) == (D(7), D(7))
    bed.cancel(entry)
    assert (bed.status(entry), bed.find(entry).filled_qty) == (CANCELED, D(7))
    assert {order.qty for order in bed.live_brackets} == {7}


def test_D03_what_a_partly_filled_order_fills_after_a_close_is_protected_again() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(110, 90))
    bed.fill(entry, 4)
    bed.close()
    assert not bed.live_brackets
    bed.fill(entry)
    assert (bed.profit.qty, bed.stop.qty) == (D(6), D(6))


def test_D03_brackets_of_an_order_that_only_reduced_never_work() -> None:
    bed = Bed()
    bed.sell(20)
    entry = bed.buy(5, limit="99", protect=brackets(110, 90))
    bed.quote("98.98", "99")
    assert bed.status(entry) is FILLED
    assert not bed.live_brackets
    assert bed.position().qty == 15


def test_D03_a_part_fill_of_one_bracket_shrinks_the_other() -> None:
    bed = Bed()
    long_10(bed)
    bed.fill(bed.profit.id, 3)
    assert (bed.profit.remaining, bed.stop.remaining, bed.position().qty) == (D(7), D(7), D(7))
    bed.close(2)
    assert (bed.profit.qty, bed.profit.remaining, bed.stop.remaining) == (D(8), D(5), D(5))
    bed.quote("111")
    assert bed.state.orders == {}
    assert bed.state.positions == {}


def test_D03_two_entries_have_a_set_each_and_the_oldest_shrinks_first() -> None:
    bed = Bed()
    bed.buy(10, protect=brackets(110, 90))
    bed.buy(5, protect=brackets(120, 95))
    bed.close(8)
    covered = {(order.oco_id, order.remaining) for order in bed.live_brackets}
    assert covered == {("1", Decimal(2)), ("4", Decimal(5))}
    bed.quote("94")
    assert {order.oco_id for order in bed.live_brackets} == {"1"}
    assert bed.position().qty == 2


def test_D03_new_brackets_of_a_position_replace_all_and_an_absent_one_is_taken_away() -> None:
    bed = Bed()
    long_10(bed)
    stop = bed.stop.id
    bed.protect(stop_loss=95)
    assert (bed.stop.id, bed.stop.stop_price, len(bed.live_brackets)) == (stop, D(95), 1)
    bed.protect(take_profit=120)
    assert bed.status(stop) is CANCELED
    assert bed.profit.limit_price == 120
    bed.protect()
    assert bed.state.orders == {}


def test_D03_the_brackets_of_a_position_follow_its_size() -> None:
    bed = Bed()
    bed.buy(10)
    bed.protect(take_profit=120, stop_loss=80)
    bed.buy(5)
    assert (bed.profit.qty, bed.stop.qty) == (D(15), D(15))
    bed.close(9)
    assert (bed.profit.qty, bed.stop.qty) == (D(6), D(6))
    bed.quote("79")
    assert bed.state.positions == {}
    assert bed.state.orders == {}


def test_D03_brackets_of_a_position_leave_to_an_entry_what_its_own_cover() -> None:
    bed = Bed()
    bed.buy(10)
    bed.protect(stop_loss=80)
    bed.buy(5, protect=brackets(stop_loss=85))
    assert sorted(order.qty for order in bed.live_brackets) == [5, 10]


def test_D03_brackets_of_an_unknown_position_are_not_found() -> None:
    refusal = Bed().refused(EditBrackets("AAPL", brackets(120)))
    assert refusal.kind == "not_found"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (brackets(take_profit=90), "takeProfit 90 is not above 99.99"),
        (brackets(stop_loss=105), "stopLoss 105 is not below 99.99"),
        (brackets(stop_loss="90.001"), "is not on the tick"),
        (brackets(stop_loss=90, pips=10), "give only one"),
    ],
)
def test_D03_brackets_of_a_position_on_the_wrong_side_are_refused_and_change_nothing(asked: object, words: str) -> None:
    bed = Bed()
    long_10(bed)
    refusal = bed.refused(EditBrackets("AAPL", asked))  # type: ignore[arg-type]
    assert refusal.kind == "invalid"
    assert words in refusal.reason
    assert bed.last == []


def test_D03_a_guaranteed_stop_fills_at_its_price_in_a_gap() -> None:
    bed = Bed()
    bed.buy(10, protect=brackets(guaranteed="95"))
    bed.quote("80")
    assert bed.state.realized == (Decimal("95") - Decimal("100.01")) * 10


def test_D03_a_trailing_stop_follows_the_bid_by_pips_and_only_upwards() -> None:
    bed = Bed()
    bed.buy(10, protect=brackets(pips=50))
    assert bed.stop.stop_price == Decimal("99.49")
    bed.quote("101", "101.02")
    assert bed.stop.stop_price == Decimal("100.50")
    assert bed.quote("100.80", "100.82") == []
    bed.quote("100.40", "100.42")
    assert bed.state.positions == {}
    assert bed.state.realized == Decimal("3.90")


def test_D03_a_trailing_stop_of_a_short_follows_the_ask_downwards() -> None:
    bed = Bed()
    bed.sell(10, protect=brackets(pips=50))
    assert bed.stop.stop_price == Decimal("100.51")
    bed.quote("98.98", "99")
    assert bed.stop.stop_price == Decimal("99.50")
    bed.quote("99.48", "99.50")
    assert bed.state.positions == {}


def test_D03_a_trailing_stop_that_begins_without_a_quote_is_set_by_the_first_one() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(pips=50))
    bed.quote("99.99", "100.01", is_open=False)
    bed.fill(entry)
    assert (bed.stop.status, bed.stop.stop_price) == (WORKING, None)
    bed.quote("100", "100.02")
    assert bed.stop.stop_price == Decimal("99.50")


def test_D03_a_trailing_stop_with_another_distance_starts_from_the_market() -> None:
    bed = Bed()
    bed.buy(10, protect=brackets(pips=50))
    bed.quote("101", "101.02")
    bed.quote("100.60", "100.62")
    bed.done(ModifyOrder(bed.stop.id, brackets=brackets(pips=30)))
    assert (bed.stop.trail_pips, bed.stop.stop_price) == (D(30), Decimal("100.30"))


def test_D03_a_bracket_may_be_canceled_or_modified_by_itself() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(110, 90))
    bed.modify(bed.stop.id, stop_price="95")
    bed.cancel(bed.profit.id)
    assert (bed.find(entry).brackets.stop_loss, bed.find(entry).brackets.take_profit) == (D(95), None)
    bed.fill(entry, 4)
    bed.close()
    bed.fill(entry)
    assert [(order.stop_price, order.qty) for order in bed.live_brackets] == [(D(95), D(6))]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (ModifyOrder("3", qty=Decimal(3)), "qty of order 3 follows what it protects: it is 10."),
        (ModifyOrder("3", limit_price=Decimal(91)), "limitPrice does not belong to order 3"),
        (ModifyOrder("2", stop_price=Decimal(91)), "stopPrice does not belong to order 2"),
        (ModifyOrder("3", stop_price=Decimal(100)), "stopPrice 100 is not below 99"),
        (ModifyOrder("2", limit_price=Decimal(98)), "limitPrice 98 is not above 99"),
        (ModifyOrder("3", brackets=brackets(120)), "Order 3 is a bracket itself"),
    ],
)
def test_D03_a_bracket_keeps_its_quantity_its_kind_and_its_side(change: ModifyOrder, words: str) -> None:
    bed = Bed()
    bed.buy(10, limit="99", protect=brackets(110, 90))
    assert words in bed.refused(change).reason
    assert bed.last == []


def test_D03_brackets_change_with_their_order() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99", protect=brackets(110, 90))
    profit = bed.profit.id
    bed.done(ModifyOrder(entry, qty=Decimal(8), brackets=brackets(stop_loss=92)))
    assert bed.status(profit) is CANCELED
    assert (bed.stop.qty, bed.stop.stop_price, bed.stop.status) == (D(8), D(92), INACTIVE)
    bed.done(ModifyOrder(entry, brackets=brackets(115, 92)))
    assert (bed.profit.qty, bed.profit.limit_price, bed.profit.status) == (D(8), D(115), INACTIVE)


def test_D03_brackets_that_a_partly_filled_order_is_given_cover_what_it_opened() -> None:
    bed = Bed()
    entry = bed.buy(10, limit="99")
    bed.fill(entry, 4)
    bed.done(ModifyOrder(entry, brackets=brackets(110, 90)))
    assert {(order.status, order.qty) for order in bed.live_brackets} == {(WORKING, D(4))}
    bed.fill(entry)
    assert {order.qty for order in bed.live_brackets} == {10}


def test_D03_brackets_that_come_with_a_modified_order_take_their_share_from_the_position_s_own() -> None:
    bed = Bed()
    bed.buy(10)
    entry = bed.buy(10, limit="99")
    bed.fill(entry, 4)
    bed.protect(stop_loss=80)
    bed.done(ModifyOrder(entry, brackets=brackets(stop_loss=90)))
    assert {(order.stop_price, order.qty) for order in bed.live_brackets} == {(D(80), D(10)), (D(90), D(4))}


def test_D03_the_custom_fields_of_a_positions_brackets_come_back_with_the_bracket_orders() -> None:
    bed = Bed()
    bed.buy(10)
    bed.done(EditBrackets("AAPL", brackets(110, 90), '{"note":1}'))
    assert {order.custom_fields for order in bed.live_brackets} == {'{"note":1}'}
    bed.done(EditBrackets("AAPL", brackets(110, 95)))
    assert {order.custom_fields for order in bed.live_brackets} == {'{"note":1}'}
    bed.done(EditBrackets("AAPL", brackets(110, 95), '{"note":2}'))
    assert {order.custom_fields for order in bed.live_brackets} == {'{"note":2}'}
    bed.done(ModifyOrder(bed.stop.id, custom_fields='{"note":3}'))
    assert (bed.stop.custom_fields, bed.profit.custom_fields) == ('{"note":3}', '{"note":2}')


def test_D03_a_stop_price_for_a_working_trailing_stop_is_refused() -> None:
    bed = Bed()
    bed.buy(10)
    bed.protect(pips=500)
    stop = bed.stop
    assert stop.stop_price is not None
    for asked in (None, brackets(pips=500)):
        refusal = bed.refused(ModifyOrder(stop.id, stop_price=stop.stop_price + 1, brackets=asked))
        assert "trailingStopPips" in refusal.reason
        assert bed.done(ModifyOrder(stop.id, stop_price=stop.stop_price, brackets=asked)).endswith("is unchanged.")
    bed.done(ModifyOrder(stop.id, stop_price=stop.stop_price + 1, brackets=brackets(pips=300)))
    assert bed.stop.trail_pips == 300


def test_D03_is_close_of_an_order_cannot_change() -> None:
    bed = Bed()
    bed.buy(10)
    plain = bed.sell(1, limit=110)
    closing = bed.done(bed.order(Side.SELL, OrderType.LIMIT, 1, limit=110, is_close=True))
    for order, was in ((plain, False), (closing, True)):
        assert "isClose" in bed.refused(ModifyOrder(order, is_close=not was)).reason
        assert bed.done(ModifyOrder(order, is_close=was)).endswith("is unchanged.")
    assert "takes no brackets" in bed.refused(ModifyOrder(closing, brackets=brackets(90, 120))).reason


@pytest.mark.parametrize(
    ("side", "at", "better", "far"), [(Side.BUY, "100.50", "101.20", "160.20"), (Side.SELL, "99.52", "98.80", "40.40")]
)
def test_D03_a_trailing_stop_does_not_go_back_when_the_price_step_grows(
    side: Side, at: str, better: str, far: str
) -> None:
    bed = Bed()
    bed.done(bed.order(side, OrderType.MARKET, 1, protect=brackets(pips=50)))
    bed.quote(*(("101.00", "101.02") if side is Side.BUY else ("99.00", "99.02")))
    assert bed.stop.stop_price == D(at)
    bed.regrid("0.5", "0.0001")
    for _ in range(2):
        assert bed.quote(better) == [], "50 pips are 25 now: it would go back"
    assert bed.stop.stop_price == D(at)
    bed.quote(far)
    assert bed.stop.stop_price == (D("135.00") if side is Side.BUY else D("65.50"))


def test_D03_what_is_held_can_be_closed_whole_though_the_quantity_step_has_grown() -> None:
    bed = Bed()
    bed.buy("10.5")
    bed.regrid("0.01", "1")
    bed.quote("100")
    refused = [bed.refused(ClosePosition("AAPL", D(amount))).reason for amount in ("0.5", "11.5")]
    assert refused == [
        "amount 0.5 is not on the step of 1; use 1",
        "amount 11.5 is not on the step of 1; use 11 or 12",
    ]
    plain = bed.refused(bed.order(Side.SELL, OrderType.MARKET, "10.5"))
    assert plain.reason == "qty 10.5 is not on the step of 1; use 10 or 11", "it may open something"
    bed.close("4")
    assert bed.close("6.5") == "Position AAPL was closed."
    assert bed.state.positions == {}
