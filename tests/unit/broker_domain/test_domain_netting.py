"""Positions and money, worked to the cent (trading.md: "Net per account and symbol", realised P&L, commission)."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from support.broker_domain import Bed, D

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.amounts import EXACT, average, cents, margin_of, money, plain, share, text
from trading_api.modules.broker.domain.commission import commission
from trading_api.modules.broker.domain.events import EquityEvent, ExecutionEvent, PositionEvent
from trading_api.modules.broker.domain.netting import net
from trading_api.modules.broker.domain.position import Position


def test_D03_the_average_price_is_weighted_and_kept_when_reducing() -> None:
    bed = Bed()
    bed.quote("100")
    bed.buy(10)
    bed.quote("110")
    bed.buy(5)
    assert bed.position().avg_price == D("103.333333333333")
    bed.quote("120")
    bed.sell(6)
    assert (bed.position().qty, bed.position().avg_price) == (D(9), D("103.333333333333"))
    # 6 * 120 - 6 * 103.333… = 100 to the cent
    assert cents(bed.state.realized) == D("100.00")
    bed.sell(9)
    # 10 * -100 + 5 * -110 + 15 * 120 = 250, exactly: nothing is lost by a third
    assert bed.state.realized == 250
    assert bed.state.balance == 100_250


def test_D03_a_short_gains_when_it_is_bought_back_lower() -> None:
    bed = Bed()
    bed.quote("99.99", "100.01")
    bed.sell(10)
    assert (bed.position().side, bed.position().avg_price) == (Side.SELL, D("99.99"))
    bed.quote("89.98", "90.02")
    assert bed.equity.unrealized == D("99.70")  # valued at the ask
    bed.buy(4)
    assert bed.state.realized == D("39.88")
    assert bed.equity.unrealized == D("59.82")
    assert bed.equity.equity == D("100099.70")


def test_D03_a_long_is_valued_at_the_bid() -> None:
    bed = Bed()
    bed.buy(10)
    assert bed.equity.unrealized == D("-0.20")
    bed.quote("101.50", "101.60")
    assert bed.equity.unrealized == D("14.90")
    assert bed.equity.equity == D("100014.90")
    assert bed.equity.balance == 100_000


def test_D03_a_reversal_realises_the_old_side_and_opens_the_new_at_the_price_of_the_trade() -> None:
    bed = Bed()
    bed.quote("100")
    bed.buy(10)
    bed.quote("103")
    bed.sell(25)
    assert bed.state.realized == 30
    assert bed.position() == Position("AAPL", Side.SELL, D("15"), D("1545"))
    assert bed.position().avg_price == 103
    told = [event.position for event in bed.last if isinstance(event, PositionEvent)]
    assert [(position.id, position.side, position.qty) for position in told] == [("AAPL", Side.SELL, D(15))]


def test_D03_a_closed_position_is_announced_once_with_quantity_0_and_the_same_id() -> None:
    bed = Bed()
    bed.buy(10)
    bed.sell(10)
    (told,) = (event.position for event in bed.last if isinstance(event, PositionEvent))
    assert (told.id, told.qty, told.side, told.avg_price) == ("AAPL", D(0), Side.BUY, D(0))
    assert bed.state.positions == {}
    assert bed.quote("105") == []


def test_D03_commission_is_by_rate_and_by_share_to_the_cent_for_each_trade() -> None:
    terms = AccountTerms(D("10000"), commission_rate=D("0.001"), commission_per_share=D("0.005"))
    bed = Bed(terms)
    bed.buy(33)  # 33 * 100.01 * 0.001 + 33 * 0.005 = 3.30033 + 0.165 = 3.46533
    (trade,) = (event.execution for event in bed.last if isinstance(event, ExecutionEvent))
    assert trade.commission == D("3.47")
    assert bed.state.balance == D("9996.53")
    bed.sell(33)  # 3.29967 + 0.165 = 3.46467; realised 33 * -0.02 = -0.66
    (worth,) = (event.equity for event in bed.last if isinstance(event, EquityEvent))
    assert (worth.realized, worth.fees, worth.balance) == (D("-0.66"), D("6.93"), D("9992.41"))
    assert worth.equity == worth.balance


def test_D03_half_a_cent_of_commission_is_rounded_up() -> None:
    terms = AccountTerms(commission_per_share=D("0.005"))
    assert commission(terms, D("1"), D("50")) == D("0.01")
    assert commission(terms, D("0.9999"), D("50")) == D("0.00")


def test_D03_equal_trades_both_ways_leave_only_spread_and_fees() -> None:
    bed = Bed(AccountTerms(commission_per_share=D("1")))
    for _ in range(3):
        bed.buy("0.3333")
        bed.sell("0.3333")
    assert bed.state.balance == 100_000 - 6 * D("0.33") - 3 * D("0.3333") * D("0.02")


trades = st.tuples(
    st.sampled_from(Side),
    st.integers(1, 10**16).map(lambda units: Decimal(units).scaleb(-12)),
    st.integers(1, 10**14).map(lambda ticks: Decimal(ticks).scaleb(-6)),
)


@settings(max_examples=60)
@given(st.lists(trades, max_size=12))
def test_D03_netting_conserves_money_to_the_last_digit(taken: list[tuple[Side, Decimal, Decimal]]) -> None:
    held: Position | None = None
    flows = realized = signed = Decimal(0)
    for side, qty, price in taken:
        result = net(held, "X", side, qty, price)
        assert result.opened + result.closed == qty
        held = result.position
        flows = EXACT.add(flows, EXACT.multiply(EXACT.multiply(-side, qty), price))
        realized = EXACT.add(realized, result.realized)
        signed = EXACT.add(signed, EXACT.multiply(side, qty))
        assert EXACT.multiply(held.side, held.qty) == signed
        assert held.cost >= 0
        assert realized == EXACT.add(flows, EXACT.multiply(held.side, held.cost))
        assert held.is_open or realized == flows


@settings(max_examples=50)
@given(trades, trades)
def test_D03_reducing_leaves_the_average_price_as_it_was(
    first: tuple[Side, Decimal, Decimal], second: tuple[Side, Decimal, Decimal]
) -> None:
    held = net(None, "X", *first).position
    result = net(held, "X", Side(-first[0]), second[1], second[2])
    if not result.opened and result.position.qty > D("0.001"):
        assert abs(result.position.avg_price - held.avg_price) <= D("1E-12")


def test_D03_amounts_are_rounded_only_where_they_are_divided() -> None:
    assert share(D("32"), D("1"), D("3")) == D("10.666666666666666666666667")
    assert share(D("32"), D("3"), D("3")) == 32
    assert average(D("310"), D("3")) == D("103.333333333333")
    assert average(D("0"), D("0")) == 0
    assert margin_of(D("100"), D("3")) == D("33.333333333334")
    assert cents(D("0.005")) == D("0.01")
    assert str(plain(D("1E+2"))) == "100"
    assert text(D("0.50")) == "0.5"
    assert text(D("1") / D("3")) == "0.33333333"
    assert money(D("1234567.885")) == "1,234,567.89"
