"""What an account may do does not depend on how long the broker is up: after a start nothing is known of the market of
what is held, and until it is nothing that needs the equity is decided (trading.md, "Margin")."""

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.broker_domain import ACCOUNT, NOON, SESSION_END, Bed, D, brackets

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.equity import Unvalued
from trading_api.modules.broker.domain.events import EquityEvent, ExecutionEvent
from trading_api.modules.broker.domain.outcome import Refusal
from trading_api.modules.broker.domain.requests import (
    CancelOrder,
    ExecuteOrders,
    ModifyOrder,
    PreviewLeverage,
    PreviewOrder,
    Request,
    SetLeverage,
)

BUY, SELL = Side.BUY, Side.SELL
DAY = Duration(DurationKind.DAY)


def restarted(before: Bed) -> Bed:
    """The same accounts on a new desk, which has heard nothing of any market."""
    bed = Bed()
    bed.desk, bed.views, bed.events = Desk(), {}, list(before.events)
    bed.state = copy.deepcopy(before.state)
    bed.desk.add(bed.state)
    return bed


def holding(qty: int = 9000) -> Bed:
    """MSFT, bought at 100; by default for almost all that the account has."""
    bed = Bed()
    bed.quote("100", "100", "MSFT")
    bed.quote("100", "100")
    bed.buy(qty, symbol="MSFT")
    return bed


def trades(bed: Bed) -> list[tuple[str, int, int]]:
    """Order, quantity and price of those among the last events."""
    done = [event.execution for event in bed.last if isinstance(event, ExecutionEvent)]
    return [(each.order_id, int(each.qty), int(each.price)) for each in done]


def test_D03_nothing_is_opened_while_it_is_not_known_what_is_held_is_worth() -> None:
    bed = holding()
    bed.quote("91", "91", "MSFT")
    assert "Not enough margin" in bed.refused(bed.order(BUY, OrderType.MARKET, 1000)).reason
    again = restarted(bed)
    again.quote("100", "100")
    state = copy.deepcopy(again.state)
    for order in (again.order(BUY, OrderType.MARKET, 1000), again.order(BUY, OrderType.LIMIT, 1, limit=90)):
        with pytest.raises(Unvalued, match=r"The market of MSFT is not known yet; try again\."):
            again.ask(order)
    assert again.state == state
    again.quote("91", "91", "MSFT")
    assert "Not enough margin" in again.refused(again.order(BUY, OrderType.MARKET, 1000)).reason


def test_D03_a_malformed_order_is_refused_at_once() -> None:
    again = restarted(holding())
    again.quote("100", "100")
    assert "tick" in again.refused(again.order(BUY, OrderType.LIMIT, 1, limit="90.001")).reason


@pytest.mark.parametrize(
    "request_of",
    [
        lambda bed: PreviewOrder(bed.order(BUY, OrderType.LIMIT, 1, limit=90)),
        lambda _: PreviewLeverage("AAPL", D(5)),
        lambda _: SetLeverage("AAPL", D(5)),
        lambda _: ModifyOrder("2", limit_price=D(100)),
        lambda _: ModifyOrder("2", qty=D(20)),
        lambda _: ModifyOrder("2", duration=Duration(DurationKind.IOC)),
        lambda _: ExecuteOrders(),
    ],
    ids=["preview", "preview leverage", "leverage", "price", "quantity", "immediate", "execute"],
)
def test_D03_what_needs_the_equity_is_not_answered(request_of: Callable[[Bed], Request]) -> None:
    bed = holding()
    bed.buy(10, limit=90)
    again = restarted(bed)
    again.quote("95", "95")
    state = copy.deepcopy(again.state)
    request = request_of(again)
    with pytest.raises(Unvalued):
        again.ask(request)
    assert again.state == state
    again.quote("100", "100", "MSFT")
    assert not isinstance(again.ask(request).result, Refusal)


def test_D03_an_order_that_rests_waits_and_is_neither_filled_nor_rejected() -> None:
    bed = holding()
    bed.quote("150", "150", "MSFT")
    covered = bed.buy(5000, limit=90)
    again = restarted(bed)
    assert again.quote("80", "80") == [], "not rejected, though by the average price it would not fit"
    assert again.quote("150", "150", "MSFT") == []
    again.quote("80", "80")
    assert trades(again) == [(covered, 5000, 90)]
    poor = restarted(holding())
    order = poor.state.next_order
    poor.quote("150", "150", "MSFT")
    poor.quote("100", "100")
    poor.buy(5000, limit=90)
    late = restarted(poor)
    late.quote("80", "80")
    late.quote("60", "60", "MSFT")
    late.quote("80", "80")
    assert late.status(str(order)) is OrderStatus.REJECTED, "nor filled, though the account cannot pay for it any more"


def test_D03_a_limit_that_had_not_met_the_market_arrives_when_its_wait_is_over() -> None:
    bed = holding()
    bed.quote(None)
    order = bed.buy(10, limit=90)
    again = restarted(bed)
    again.quote("80", "80")
    assert not again.state.orders[order].arrived
    again.quote("100", "100", "MSFT")
    again.quote("85", "85")
    assert trades(again) == [(order, 10, 85)], "as a new order, not at its limit"


def test_D03_a_stop_limit_whose_stop_is_hit_meanwhile_is_a_limit_order_from_then_on() -> None:
    bed = holding()
    order = bed.buy(10, stop=105, limit=106)
    again = restarted(bed)
    again.quote("105", "105")
    waiting = again.state.orders[order]
    assert (waiting.triggered, waiting.arrived, waiting.status) == (True, False, OrderStatus.WORKING)
    assert again.quote("104", "104") == [], "it does not fill, and is not told again"
    again.quote("100", "100", "MSFT")
    again.quote("103", "103")
    assert trades(again) == [(order, 10, 103)]


def test_D03_closing_reducing_stops_and_cancels_go_on() -> None:
    bed = holding(1000)
    bed.sell(30, protect=brackets(stop_loss=110))
    resting, reducing = bed.buy(1, limit=90), bed.buy(4, limit=95)
    again = restarted(bed)
    again.quote("95", "95")
    assert trades(again) == [(reducing, 4, 95)]
    (worth,) = [event.equity for event in again.last if isinstance(event, EquityEvent)]
    assert worth == again.equity
    assert (worth.balance, worth.unrealized, worth.equity) == (D(100_020), None, None)
    again.cancel(resting)
    again.buy(5)
    assert trades(again)[0][1:] == (5, 95)
    again.close(1)
    again.quote("112", "112")
    assert trades(again)[0][1:] == (20, 112), "the stop loss"
    assert (again.state.orders, "AAPL" in again.state.positions) == ({}, False)
    again.quote("120", "120", "MSFT")
    assert again.equity.equity == again.equity.balance + 20_000


def test_D03_what_would_turn_a_position_waits() -> None:
    bed = holding(1000)
    bed.sell(10)
    turning = bed.buy(15, limit=95)
    again = restarted(bed)
    assert again.quote("95", "95") == []
    with pytest.raises(Unvalued):
        again.buy(11)
    again.quote("100", "100", "MSFT")
    again.quote("95", "95")
    assert trades(again) == [(turning, 15, 95)]


def test_D03_a_symbol_without_a_price_does_not_lock_the_account() -> None:
    again = restarted(holding(1000))
    again.quote("100", "100")
    unheard = replace(again.views["AAPL"], quote=None, is_heard=False)
    again.desk.on_market(replace(unheard, instrument=replace(unheard.instrument, symbol="MSFT")), NOON)
    assert again.desk.unvalued() == {"MSFT"}, "the datafeed has not said anything yet"
    again.quote(None, symbol="MSFT")
    assert not again.desk.unvalued(), "it said: there is none"
    assert again.equity.unrealized == 0
    again.buy(1)
    again.quote("110", "110", "MSFT")
    again.quote(None, symbol="MSFT")
    assert again.equity.unrealized == 10_000, "the last one counts"


def test_D03_a_symbol_that_nobody_trades_any_more_counts_at_its_average_price() -> None:
    again = restarted(holding(1000))
    again.desk.no_price("MSFT")
    assert not again.desk.unvalued()
    assert again.equity.unrealized == 0


def test_D03_orders_expire_by_the_feeds_clock_without_a_market() -> None:
    bed = Bed()
    day = bed.buy(1, limit=90, duration=DAY)
    bed.buy(1, limit=91)
    again = restarted(bed)
    assert again.desk.on_clock("AAPL", SESSION_END - 1, SESSION_END + 1) == ()
    (event,) = again.desk.on_clock("AAPL", SESSION_END, NOON)
    assert (event.order.id, event.order.message.text) == (day, "Expired: the session is over.")  # type: ignore[union-attr]


def test_D03_orders_expire_by_the_wall_clock_while_that_of_the_feed_is_not_known() -> None:
    bed = Bed()
    until = bed.buy(1, limit=90, duration=Duration(DurationKind.GTD, NOON + 1000), protect=brackets(stop_loss=80))
    again = restarted(bed)
    assert again.desk.on_clock("AAPL", None, NOON + 999) == ()
    ended = again.desk.on_clock("AAPL", None, NOON + 1000)
    assert [event.order.id for event in ended] == [until, "2"], "with its brackets"  # type: ignore[union-attr]
    assert again.state.orders == {}


def test_D03_an_order_that_lives_by_the_clock_of_a_replay_waits_for_it() -> None:
    bed, year = Bed(), 365 * 24 * 3_600_000
    bed.quote("99.99", "100.01", at=NOON - year, session_end=SESSION_END - year)
    order = bed.buy(1, limit=90, duration=Duration(DurationKind.GTD, NOON - year + 1000))
    again = restarted(bed)
    assert again.desk.on_clock("AAPL", None, NOON + 5000) == ()
    again.quote("99.99", "100.01", at=NOON - year + 1000)
    assert order not in again.desk.state(ACCOUNT).orders


def test_D03_canceling_needs_no_market() -> None:
    bed = holding()
    order = bed.buy(1, limit=90)
    again = restarted(bed)
    again.done(CancelOrder(order))
    assert again.state.orders == {}
