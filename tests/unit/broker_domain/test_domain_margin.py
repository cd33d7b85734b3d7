"""Margin, reservations, leverage and preview, to the cent (trading.md: "Margin", "Leverage")."""

from decimal import Decimal

import pytest
from support.broker_domain import Bed, D, brackets, kinds

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.outcome import LeveragePreview, Preview
from trading_api.modules.broker.domain.requests import (
    ModifyOrder,
    PlaceOrder,
    PreviewLeverage,
    PreviewOrder,
    SetLeverage,
)

SMALL = AccountTerms(D(1000))
WITH_FEES = AccountTerms(D(1000), commission_per_share=D("0.10"))


def flat_bed(terms: AccountTerms = SMALL) -> Bed:
    """1000 in cash, the market at 100 without a spread: 10 units take 100 of margin."""
    bed = Bed(terms)
    bed.quote("100")
    return bed


def preview(bed: Bed, order: PlaceOrder) -> Preview:
    told = bed.ask(PreviewOrder(order)).result
    assert isinstance(told, Preview)
    assert bed.last == []
    return told


def leverage_preview(bed: Bed, value: Decimal) -> LeveragePreview:
    told = bed.ask(PreviewLeverage("AAPL", value)).result
    assert isinstance(told, LeveragePreview)
    assert bed.last == []
    return told


def test_D03_an_order_that_does_not_fit_is_refused_with_the_reason_and_stored_as_rejected() -> None:
    bed = flat_bed()
    refusal = bed.refused(bed.order(Side.BUY, OrderType.MARKET, "100.0001"))
    assert refusal.kind == "invalid"
    assert refusal.reason == (
        "Not enough margin: 1,000.01 USD is needed (1,000.01 margin and 0.00 fees), 1,000.00 is free."
    )
    assert refusal.order_id == "1"
    stored = bed.find("1")
    assert (stored.status, bed.state.reserved) == (OrderStatus.REJECTED, D(0))
    assert stored.message is not None
    assert (stored.message.type, stored.message.text) == ("error", refusal.reason)
    assert kinds(bed.last) == ["Order"]
    assert bed.buy(100) == "2"
    assert bed.free == 0


def test_D03_fees_must_fit_too() -> None:
    bed = flat_bed(WITH_FEES)
    # 99 * 100 / 10 + 99 * 0.10 = 999.90; 99.1 units would take 1000.91
    bed.refused(bed.order(Side.BUY, OrderType.LIMIT, "99.1", limit=100))
    bed.buy(99, limit="99.99")
    assert bed.state.reserved == D("999.801")
    assert bed.free == D("0.199")


def test_D03_used_margin_is_by_the_average_price_and_equity_by_the_market() -> None:
    bed = flat_bed()
    bed.buy(50)
    bed.quote("110")
    bed.buy(10)
    # used 50 * 100 / 10 + 10 * 110 / 10 = 610; equity 1000 + 500
    assert bed.free == 890
    bed.quote("90")
    assert bed.free == 1000 - 500 - 200 - 610 + 0
    assert bed.free < 0
    bed.refused(bed.order(Side.BUY, OrderType.MARKET, 1))


def test_D03_open_orders_reserve_until_they_are_done() -> None:
    bed = flat_bed()
    first = bed.buy(60, limit=90)
    assert (bed.state.reserved, bed.free) == (D(540), D(460))
    bed.refused(bed.order(Side.BUY, OrderType.LIMIT, 60, limit=80))
    bed.cancel(first)
    assert bed.free == 1000
    again = bed.buy(60, limit=80)
    bed.fill(again, 20)
    # 40 still wait at 80; 20 are held at 80 and worth 100
    assert bed.state.reserved == 320
    assert bed.free == 1000 + 400 - 160 - 320


def test_D03_what_only_reduces_is_exempt() -> None:
    bed = flat_bed()
    bed.buy(100)
    bed.quote("90.50")
    assert bed.free < 0
    bed.sell(60, limit=95)
    assert bed.state.reserved == 0
    bed.close(30)
    bed.refused(bed.order(Side.SELL, OrderType.LIMIT, 200, limit=95))


def test_D03_a_reversal_needs_margin_for_what_it_opens_and_uses_what_it_frees() -> None:
    bed = flat_bed()
    bed.buy(100)
    assert bed.free == 0
    bed.refused(bed.order(Side.SELL, OrderType.MARKET, 201))
    bed.sell(200)
    assert (bed.position().side, bed.position().qty, bed.free) == (Side.SELL, D(100), D(0))


def test_D03_margin_is_checked_again_at_the_fill() -> None:
    bed = flat_bed()
    bed.quote("50", symbol="MSFT")
    waiting = bed.buy(50, limit=90, protect=brackets(110, 80))
    bed.buy(100, symbol="MSFT")
    bed.quote("44", symbol="MSFT")  # 600 lost: 400 + … is free for 450
    bed.quote("90")
    refused = bed.find(waiting)
    assert refused.status is OrderStatus.REJECTED
    assert refused.message is not None
    assert refused.message.text.startswith("Not enough margin: 450.00 USD is needed")
    assert not bed.live_brackets
    assert "AAPL" not in bed.state.positions


def test_D03_a_partly_filled_order_that_no_longer_fits_is_canceled_and_keeps_its_fill() -> None:
    bed = flat_bed()
    bed.quote("50", symbol="MSFT")
    waiting = bed.buy(50, limit=90)
    bed.fill(waiting, 10)
    bed.buy(100, symbol="MSFT")
    bed.quote("44", symbol="MSFT")
    bed.quote("90")
    canceled = bed.find(waiting)
    assert (canceled.status, canceled.filled_qty, bed.state.reserved) == (OrderStatus.CANCELED, D(10), D(0))
    assert bed.position().qty == 10


def test_D03_raising_leverage_frees_margin_of_positions_and_orders() -> None:
    bed = flat_bed()
    bed.buy(50)
    bed.buy(40, limit=90)
    assert bed.free == 1000 - 500 - 360
    assert bed.ask(SetLeverage("NASDAQ:aapl", D(20))).result == 20
    assert kinds(bed.last) == ["Leverage"]
    assert bed.state.reserved == 180
    assert bed.free == 1000 - 250 - 180
    assert bed.ask(SetLeverage("AAPL", D(20))).result == 20
    assert bed.last == []


def test_D03_leverage_is_lowered_only_if_free_margin_covers_it() -> None:
    bed = flat_bed()
    bed.buy(50)
    refusal = bed.refused(SetLeverage("AAPL", D(4)))  # 1250 would be used
    assert refusal.reason == (
        "Not enough margin to lower the leverage to 4: 750.00 USD more is needed, 500.00 is free."
    )
    assert bed.last == []
    assert bed.state.leverage("AAPL") == 10
    assert bed.ask(SetLeverage("AAPL", D(5))).result == 5
    assert bed.free == 0
    bed.quote("80")
    assert bed.free < 0
    assert bed.ask(SetLeverage("AAPL", D(100))).result == 100


@pytest.mark.parametrize("value", ["0", "101", "-5", "2.5", "NaN", "Infinity", "1E+30"])
def test_D03_leverage_out_of_range_is_refused(value: str) -> None:
    bed = Bed()
    refusal = bed.refused(SetLeverage("AAPL", D(value)))
    assert "use 1 to 100 in steps of 1." in refusal.reason
    assert refusal.reasons == leverage_preview(bed, D(value)).errors
    assert bed.refused(SetLeverage("NOPE", D(5))).reason == "The market of NOPE is not known."


def test_D03_a_leverage_preview_tells_what_setting_it_would_do() -> None:
    bed = flat_bed()
    bed.buy(50)
    told = leverage_preview(bed, D(5))
    assert (told.current, told.margin, told.margin_after) == (D(10), D(500), D(1000))
    assert (told.free_margin, told.free_margin_after, told.errors) == (D(500), D(0), ())
    assert leverage_preview(bed, D(4)).errors == bed.refused(SetLeverage("AAPL", D(4))).reasons


def test_D03_a_preview_tells_cost_fees_and_margin_and_what_is_free_afterwards() -> None:
    bed = Bed(WITH_FEES)
    order = bed.order(Side.BUY, OrderType.MARKET, 10)
    told = preview(bed, order)
    assert (told.price, told.cost, told.fees, told.margin) == (D("100.01"), D("1000.10"), D("1.00"), D("100.01"))
    assert told.errors == ()
    # 1000 - 100.01 margin - 1.00 fees - 0.20 spread
    assert told.free_margin_after == D("898.79")
    bed.done(order)
    assert bed.free == told.free_margin_after


def test_D03_a_preview_of_an_order_that_waits_tells_its_reservation() -> None:
    bed = flat_bed(WITH_FEES)
    order = bed.order(Side.BUY, OrderType.LIMIT, 10, limit=90)
    told = preview(bed, order)
    assert (told.price, told.margin, told.free_margin_after) == (D(90), D(90), D(909))
    bed.done(order)
    assert bed.free == 909


def test_D03_a_preview_gives_every_reason_for_which_it_would_be_refused() -> None:
    bed = flat_bed()
    wrong = bed.order(Side.BUY, OrderType.LIMIT, "0.00005", limit="1.234", protect=brackets("0.5", 300))
    told = preview(bed, wrong)
    assert len(told.errors) == 4
    assert told.errors == bed.refused(wrong).reasons
    assert told.cost is None
    large = bed.order(Side.BUY, OrderType.MARKET, 1_000_000)
    assert preview(bed, large).errors == bed.refused(large).reasons


def test_D03_a_preview_warns_of_what_one_may_not_expect() -> None:
    bed = flat_bed()
    assert preview(bed, bed.order(Side.BUY, OrderType.LIMIT, 1, limit=101)).warnings == (
        "It would fill at once, at 100.",
    )
    immediate = bed.order(Side.BUY, OrderType.LIMIT, 1, limit=90, duration=Duration(DurationKind.IOC))
    assert "it would be canceled" in preview(bed, immediate).warnings[0]
    assert preview(bed, immediate).free_margin_after == 1000
    bed.buy(1)
    assert preview(bed, bed.order(Side.SELL, OrderType.MARKET, 3)).warnings == (
        "It would close 1 and open 2 the other way.",
    )
    bed.quote("100", is_open=False)
    assert "it would wait" in preview(bed, bed.order(Side.BUY, OrderType.LIMIT, 1, limit=90)).warnings[0]
    closed = preview(bed, bed.order(Side.BUY, OrderType.MARKET, 1))
    assert (closed.errors, closed.price) == (("The market of AAPL is closed.",), None)


def test_D03_a_modified_order_reserves_anew_and_must_fit() -> None:
    bed = flat_bed()
    order = bed.buy(50, limit=90)
    refusal = bed.refused(ModifyOrder(order, qty=D(120)))
    assert refusal.reason.startswith("Not enough margin: 1,080.00 USD is needed")
    assert bed.last == []
    assert bed.find(order).qty == 50
    bed.modify(order, qty=100, limit_price=95)
    assert (bed.state.reserved, bed.free) == (D(950), D(50))
    bed.modify(order, qty=10)
    assert bed.free == 905


def test_D03_an_order_that_reserves_all_there_is_can_fill() -> None:
    bed = flat_bed()
    order = bed.buy(125, limit=80)
    assert bed.free == 0
    bed.quote("80")
    assert (bed.status(order), bed.free) == (OrderStatus.FILLED, D(0))
