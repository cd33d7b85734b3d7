"""The log: `apply` is the only way in which state changes, and refuses what does not follow."""

from dataclasses import replace

import pytest
from support.broker_domain import ACCOUNT, NOON, Bed, D, brackets, kinds

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account import AccountState, new_account
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.apply import BrokenLogError, apply
from trading_api.modules.broker.domain.bracket_sets import BracketSets, position_set
from trading_api.modules.broker.domain.events import LeverageEvent, OrderEvent, PositionEvent
from trading_api.modules.broker.domain.order import Order, OrderRole
from trading_api.modules.broker.domain.requests import Reset


def an_order(status: OrderStatus, **other: object) -> Order:
    order = Order("1", "AAPL", OrderType.LIMIT, Side.BUY, D(1), status, limit_price=D(9))
    return replace(order, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(("account", "seq"), [(ACCOUNT, 2), (ACCOUNT, 0), ("B", 1)])
def test_D04_a_gap_a_repetition_and_another_account_s_event_are_refused(account: str, seq: int) -> None:
    state = new_account(ACCOUNT, AccountTerms())
    with pytest.raises(BrokenLogError, match="does not follow"):
        apply(state, LeverageEvent(account, seq, NOON, "AAPL", D(5)))
    assert state == new_account(ACCOUNT, AccountTerms())


def test_D04_no_event_changes_a_final_order() -> None:
    state = new_account(ACCOUNT, AccountTerms())
    apply(state, OrderEvent(ACCOUNT, 1, NOON, an_order(OrderStatus.CANCELED)))
    with pytest.raises(BrokenLogError, match="order 1 is final"):
        apply(state, OrderEvent(ACCOUNT, 2, NOON, an_order(OrderStatus.WORKING)))


def test_D04_a_state_made_from_its_rows_equals_one_made_from_its_log() -> None:
    bed = Bed()
    bed.buy(10, limit=99, protect=brackets(110, 90))
    bed.buy(5, protect=brackets(stop_loss=95))
    bed.sell(1)
    state = bed.state
    rows = AccountState(
        state.id,
        state.terms,
        state.seq,
        state.next_order,
        state.next_execution,
        state.balance,
        state.realized,
        state.fees,
        dict(state.leverages),
        dict(state.orders),
        dict(state.positions),
    )
    assert rows == state
    assert rows.reserved == state.reserved == 99
    assert rows.sets.protecting("AAPL") == state.sets.protecting("AAPL") == ("4",)
    rows.index()
    assert rows.sets.members("1") == state.sets.members("1") == ("2", "3")


def test_D04_ids_of_orders_and_executions_are_never_used_again() -> None:
    bed = Bed()
    bed.buy(1)
    bed.sell(2)
    order = bed.buy(1, limit=90)
    bed.done(Reset())
    assert kinds(bed.last) == ["Order", "Position", "Reset", "Equity"]
    positions = [event.position for event in bed.last if isinstance(event, PositionEvent)]
    assert [position.qty for position in positions] == [0]
    assert bed.status(order) is OrderStatus.CANCELED
    assert bed.buy(1) == "4"
    assert bed.state.next_execution == 4
    assert bed.position().qty == 1


def test_D04_the_index_of_brackets_knows_only_live_ones() -> None:
    stop = an_order(OrderStatus.INACTIVE, role=OrderRole.STOP_LOSS, oco_id="9")
    working = replace(stop, status=OrderStatus.WORKING)
    sets = BracketSets([stop])
    assert (sets.members("9"), sets.protecting("AAPL")) == (("1",), ())
    sets.put(working, stop)
    assert sets.protecting("AAPL") == ("9",)
    sets.put(replace(working, oco_id=position_set("AAPL")), working)
    assert (sets.members("9"), sets.protecting("AAPL")) == ((), ("position:AAPL",))
    sets.put(replace(working, status=OrderStatus.FILLED), replace(working, oco_id=position_set("AAPL")))
    assert sets.protecting("AAPL") == ()


def test_D04_every_event_carries_the_wall_clock_and_orders_their_last_change() -> None:
    bed = Bed()
    order = bed.buy(1, limit=90)
    bed.now_ms = NOON + 7
    bed.cancel(order)
    told = bed.find(order)
    assert (told.created_ms, told.updated_ms, bed.last[-1].time_ms) == (NOON, NOON + 7, NOON + 7)
