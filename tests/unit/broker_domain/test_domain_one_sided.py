"""A quote without a bid or without an ask (0): nothing trades on that side, and a mark of 0 is no mark."""

from decimal import Decimal

import pytest
from support.broker_domain import ACCOUNT, Bed, D, brackets, kinds

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.events import ExecutionEvent
from trading_api.modules.broker.domain.outcome import Preview
from trading_api.modules.broker.domain.requests import ClosePosition, ModifyOrder, PreviewOrder

BUY, SELL, MARKET = Side.BUY, Side.SELL, OrderType.MARKET
NO_BID = "There is no bid for AAPL. Try again when there is one, or place an order with a price: it waits for one."


def bought() -> Bed:
    """10 bought at 100.10, and then the bid is gone."""
    bed = Bed()
    bed.quote("100", "100.10")
    bed.buy(10)
    bed.quote("0", "100.10")
    return bed


def price(bed: Bed) -> Decimal:
    """Of the one trade among the last events."""
    (trade,) = [event.execution for event in bed.last if isinstance(event, ExecutionEvent)]
    return trade.price


def test_D03_without_a_bid_a_market_sell_a_close_and_a_preview_are_refused_alike() -> None:
    bed = bought()
    refusal = bed.refused(bed.order(SELL, MARKET, 10))
    assert (refusal.kind, refusal.reason) == ("invalid", NO_BID)
    assert refusal.order_id is not None
    assert bed.status(refusal.order_id) is OrderStatus.REJECTED
    assert bed.refused(ClosePosition("AAPL")).reason == NO_BID
    told = bed.ask(PreviewOrder(bed.order(SELL, MARKET, 10))).result
    assert isinstance(told, Preview)
    assert told.errors == (NO_BID,)
    assert (len(bed.state.orders), bed.position().qty) == (0, D(10))
    bed.buy(1)
    assert price(bed) == D("100.10"), "the ask is there"


def test_D03_without_an_ask_a_market_buy_and_the_close_of_a_short_are_refused() -> None:
    bed = Bed()
    bed.sell(10)
    for quote in (("99", "0"), ("0", "0")):
        bed.quote(*quote)
        assert bed.refused(bed.order(BUY, MARKET, 1)).reason.startswith("There is no ask for AAPL.")
        assert bed.refused(ClosePosition("AAPL")).reason.startswith("There is no ask for AAPL.")


def test_D03_a_mark_of_0_is_no_mark_so_the_last_good_one_values() -> None:
    bed = bought()
    assert bed.equity.unrealized == -1
    bed.quote("0", "200")
    assert bed.equity.unrealized == -1, "the ask does not value a long"
    bed.quote("0", "0")
    assert bed.equity.unrealized == -1
    bed.ask(PreviewOrder(bed.order(BUY, OrderType.LIMIT, 1, limit=90)))
    assert bed.equity.unrealized == -1, "nor does a look at the market"
    bed.quote("101", "101.10")
    assert bed.equity.unrealized == 9
    bed.sell(20)
    bed.quote("101", "102")
    bed.quote("101", "0")
    assert bed.equity.unrealized == -10, "a short is valued at the ask"


def test_D03_a_side_that_never_had_a_price_counts_at_the_average() -> None:
    bed = Bed()
    bed.quote("0", "50", symbol="EURUSD")
    bed.buy(10, symbol="EURUSD")
    assert bed.equity.unrealized == 0


@pytest.mark.parametrize(
    "terms",
    [{"stop_loss": 90}, {"guaranteed": 90}, {"pips": 500}],
    ids=["stop loss", "guaranteed stop", "trailing stop"],
)
def test_D03_a_stop_waits_while_its_side_has_no_price(terms: dict[str, int]) -> None:
    bed = Bed()
    bed.quote("100", "100.10")
    bed.buy(10)
    bed.protect("AAPL", **terms)
    before = bed.stop
    assert bed.quote("0", "100.10") == []
    assert bed.quote("0", "0") == []
    assert bed.stop == before
    bed.quote("80", "80.10")
    assert bed.state.positions == {}
    assert price(bed) == (90 if "guaranteed" in terms else 80)


def test_D03_a_trailing_stop_that_begins_without_its_side_starts_with_the_first_price_of_it() -> None:
    bed = bought()
    bed.protect(pips=500)
    assert (bed.stop.stop_price, bed.stop.arrived) == (None, False)
    bed.quote("110", "110.10")
    assert bed.stop.stop_price == 105


def test_D03_a_limit_that_was_placed_without_its_side_arrives_with_the_first_price_of_it() -> None:
    bed = bought()
    cheap, dear = bed.sell(5, limit=90), bed.sell(5, limit=110)
    bed.quote("0", "99")
    assert not bed.find(cheap).arrived
    bed.quote("100", "100.10")
    assert price(bed) == 100, "as a new order, not at its limit of 90"
    assert bed.find(dear).arrived
    bed.quote("0", "100.10")
    bed.quote("120", "120.10")
    assert price(bed) == 110, "it rested before"


def test_D03_a_price_given_while_the_side_is_missing_meets_the_market_later() -> None:
    bed = Bed()
    bed.quote("100", "100.10")
    order = bed.sell(5, limit=110)
    bed.quote("0", "100.10")
    bed.modify(order, limit_price=90)
    assert (bed.status(order), bed.find(order).arrived) == (OrderStatus.WORKING, False)
    bed.quote("100", "100.10")
    assert price(bed) == 100


def test_D03_what_does_not_wait_is_canceled_and_a_preview_says_what_waits() -> None:
    bed = bought()
    gone = bed.done(bed.order(SELL, OrderType.LIMIT, 5, limit=90, duration=Duration(DurationKind.IOC)))
    assert bed.status(gone) is OrderStatus.CANCELED
    told = bed.ask(PreviewOrder(bed.order(SELL, OrderType.LIMIT, 5, limit=90))).result
    assert isinstance(told, Preview)
    assert (len(told.errors), told.price) == (0, D(90))
    assert told.warnings == ("There is no bid for AAPL. Until that changes the order cannot fill: it would wait.",)


def test_D03_brackets_and_stops_are_not_measured_by_a_price_that_is_not_there() -> None:
    bed = bought()
    bed.protect(stop_loss=150)
    entry = bed.sell(1, stop=200)
    assert bed.status(entry) is OrderStatus.WORKING
    bed.done(ModifyOrder(entry, brackets=brackets(take_profit=50)))
    assert kinds(bed.quote("0", "100")) == []
    assert bed.desk.state(ACCOUNT).positions["AAPL"].qty == 10
