"""What open orders hold of the margin: the same whichever way the account got there (trading.md, "Margin")."""

from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from time import perf_counter

import pytest
from support.broker_domain import Bed, D, brackets

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.outcome import Preview, Refusal
from trading_api.modules.broker.domain.requests import ModifyOrder, PreviewOrder, SetLeverage

SMALL = AccountTerms(D(1000))


def flat_bed(terms: AccountTerms = SMALL) -> Bed:
    """The market at 100 without a spread: 10 units take 100 of margin."""
    bed = Bed(terms)
    bed.quote("100")
    return bed


def test_D03_orders_against_a_position_share_it_the_oldest_first() -> None:
    bed = flat_bed(AccountTerms(D(100_000)))
    bed.buy(1000)
    for _ in range(5):
        bed.sell(1000, limit=100.50)
    assert bed.state.reserved == 4000 * D("100.50") / 10


def test_D03_what_a_shared_position_leaves_must_fit_the_free_margin() -> None:
    bed = flat_bed()
    bed.buy(50)
    bed.sell(50, limit=110)
    refusal = bed.refused(bed.order(Side.SELL, OrderType.LIMIT, 50, limit=110))
    assert "550.00 USD is needed (550.00 margin and 0.00 fees), 500.00 is free." in refusal.reason
    bed.sell(40, limit=110)
    assert bed.free == 60


def test_D03_closing_a_position_lets_the_orders_against_it_hold_margin() -> None:
    bed = flat_bed()
    bed.buy(50)
    bed.sell(50, limit=101)
    assert (bed.state.reserved, bed.free) == (D(0), D(500))
    bed.close()
    assert (bed.state.reserved, bed.free) == (D(505), D(495))
    bed.buy(20)
    assert bed.state.reserved == D(303)


def test_D03_free_margin_does_not_depend_on_the_way() -> None:
    def buy(bed: Bed) -> None:
        bed.buy(30)

    def first(bed: Bed) -> None:
        bed.sell(20, limit=105)

    def second(bed: Bed) -> None:
        bed.sell(20, limit=105)

    def cancel(bed: Bed) -> None:
        bed.cancel(bed.buy(5, limit=90))

    steps: list[Callable[[Bed], None]] = [buy, first, second, cancel]
    found = set()
    for way in permutations(steps):
        bed = flat_bed()
        for step in way:
            step(bed)
        found.add(bed.free)
    assert found == {1000 - D(300) - D(105)}


def test_D03_canceling_the_oldest_hands_its_share_on() -> None:
    bed = flat_bed()
    bed.buy(40)
    oldest = bed.sell(40, limit=101)
    bed.sell(50, limit=102)
    assert bed.state.reserved == 510
    bed.cancel(oldest)
    assert bed.state.reserved == 102


def test_D03_a_larger_old_order_takes_the_share_of_a_younger_and_that_must_fit() -> None:
    bed = flat_bed()
    bed.buy(60)
    old = bed.sell(10, limit=100.5)
    bed.sell(50, limit=110)
    assert bed.state.reserved == 0
    refusal = bed.refused(ModifyOrder(old, qty=D(60)))  # the younger 50 would be left over, at 110
    assert refusal.reason == "Not enough margin: 550.00 USD is needed (550.00 margin and 0.00 fees), 400.00 is free."
    bed.modify(old, qty=40)
    assert bed.state.reserved == 330


def test_D03_the_refusal_of_a_change_says_what_of_it_is_margin_and_what_fees() -> None:
    bed = flat_bed(AccountTerms(D(1000), commission_per_share=D("0.5")))
    order = bed.buy(50, limit=90)
    refusal = bed.refused(ModifyOrder(order, qty=D(200)))
    assert refusal.reason == (
        "Not enough margin: 1,900.00 USD is needed (1,800.00 margin and 100.00 fees), 1,000.00 is free."
    )
    bed.cancel(order)
    bed.buy(60)
    old = bed.sell(10, limit=100.5)
    bed.sell(50, limit=110)
    refusal = bed.refused(ModifyOrder(old, qty=D(60)))  # the fees, too, are those of the younger
    assert refusal.reason == ("Not enough margin: 575.00 USD is needed (550.00 margin and 25.00 fees), 370.00 is free.")


def test_D03_a_trade_that_turns_a_position_counts_what_open_orders_then_hold() -> None:
    bed = flat_bed()
    bed.buy(50)
    bed.sell(50, limit=100.5)  # exempt, until the position turns: then 502.50
    order = bed.order(Side.SELL, OrderType.MARKET, 100)
    told = bed.ask(PreviewOrder(order)).result
    assert isinstance(told, Preview)
    assert told.errors == bed.refused(order).reasons
    assert told.errors[0].endswith(
        "500.00 USD is needed (500.00 margin and 0.00 fees), 497.50 is free once the position is closed."
    )
    bed.sell(99)
    assert bed.free == 1000 - D(490) - D("502.5")


def test_D03_reduce_only_orders_hold_nothing_and_take_no_share() -> None:
    bed = flat_bed()
    bed.buy(50)
    bed.done(bed.order(Side.SELL, OrderType.LIMIT, 50, limit=110, is_close=True))
    bed.protect(take_profit=120, stop_loss=90)
    bed.sell(50, limit=110)
    assert bed.state.reserved == 0


def test_D03_leverage_counts_for_what_is_left_of_a_shared_position() -> None:
    bed = flat_bed()
    bed.buy(20)
    bed.sell(30, limit=110)
    assert bed.state.reserved == 110
    assert bed.ask(SetLeverage("AAPL", D(20))).result == 20
    assert (bed.state.reserved, bed.free) == (D(55), D(845))


def test_D03_the_reason_shows_however_little_is_missing() -> None:
    bed = flat_bed()
    assert (
        "1,000.01 USD is needed (1,000.01 margin"
        in bed.refused(bed.order(Side.BUY, OrderType.MARKET, "100.0001")).reason
    )
    bed.buy(100)
    reason = bed.refused(bed.order(Side.BUY, OrderType.MARKET, "0.0001")).reason
    assert reason == "Not enough margin: 0.01 USD is needed (0.01 margin and 0.00 fees), 0.00 is free."
    bed = flat_bed()
    bed.buy(1)
    bed.buy("98.9999")  # 0.001 is left
    assert bed.refused(SetLeverage("AAPL", D(9))).reason.endswith("more is needed, 0.00 is free.")


@pytest.mark.slow
def test_D03_many_resting_orders_do_not_make_a_fill_slow() -> None:
    bed = flat_bed(AccountTerms(D(10) ** 9))
    bed.buy(5000)
    for _ in range(5000):
        bed.sell(1, limit=110)
    for _ in range(5000):
        bed.sell(1, stop=90)
    assert bed.state.reserved == 5000 * D(9)

    def fill() -> float:
        started = perf_counter()
        bed.buy(1)
        assert bed.state.reserved > 0
        return perf_counter() - started

    assert min(fill() for _ in range(20)) < 0.002


def test_D03_brackets_on_an_order_that_only_reduces_are_refused() -> None:
    bed = flat_bed()
    bed.buy(10)
    order = bed.order(Side.SELL, OrderType.MARKET, 10, protect=brackets(90, 110))
    told = bed.ask(PreviewOrder(order)).result
    assert isinstance(told, Preview)
    refusal = bed.refused(order)
    assert refusal.reasons == told.errors == ("An order that closes a position takes no brackets.",)
    assert bed.status(refusal.order_id or "") is OrderStatus.REJECTED
    bed.done(bed.order(Side.SELL, OrderType.MARKET, 11, protect=brackets(90, 110)))
    assert [order.qty for order in bed.live_brackets] == [1, 1]


def test_D03_a_preview_of_a_refused_close_leaves_the_free_margin_as_it_is() -> None:
    bed = flat_bed()
    told = bed.ask(PreviewOrder(bed.order(Side.SELL, OrderType.MARKET, 10, is_close=True))).result
    assert not isinstance(told, Refusal)
    assert isinstance(told, Preview)
    assert told.errors
    assert told.free_margin_after == told.free_margin == Decimal(1000)


def test_D03_a_preview_does_not_repeat_the_fees_as_a_warning() -> None:
    bed = flat_bed(AccountTerms(D(1000), commission_per_share=D("0.10")))
    told = bed.ask(PreviewOrder(bed.order(Side.BUY, OrderType.MARKET, 1))).result
    assert isinstance(told, Preview)
    assert (told.fees, told.warnings) == (D("0.10"), ())
