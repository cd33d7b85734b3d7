"""The table of an order's life."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.models.broker import OrderStatus
from trading_api.modules.broker.domain.order import FINAL_STATES
from trading_api.modules.broker.domain.order_state import (
    TRANSITIONS,
    IllegalTransitionError,
    OrderEventKind,
    next_status,
)

STEPS = st.sampled_from(OrderEventKind)


@pytest.mark.parametrize(
    ("status", "event"), [pair for pair in product(OrderStatus, OrderEventKind) if pair not in TRANSITIONS]
)
def test_D03_a_step_that_is_not_in_the_table_is_refused(status: OrderStatus, event: OrderEventKind) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{status.name} cannot {event.value}") as refused:
        next_status(status, event)
    assert (refused.value.status, refused.value.event) == (status, event)


@given(st.lists(STEPS, max_size=40))
def test_D03_no_path_leaves_a_final_state(path: list[OrderEventKind]) -> None:
    status, ended = OrderStatus.PLACING, False
    for event in path:
        if (status, event) not in TRANSITIONS:
            continue
        assert not ended
        status = next_status(status, event)
        ended = status in FINAL_STATES


def test_D03_every_state_can_be_reached_and_left_for_an_end() -> None:
    reached = {OrderStatus.PLACING}
    for _ in OrderStatus:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(OrderStatus)
    for status in set(OrderStatus) - FINAL_STATES:
        assert any(after in FINAL_STATES for (before, _), after in TRANSITIONS.items() if before is status)


def test_D03_a_bracket_that_waits_is_never_filled() -> None:
    out_of_waiting = {event for (before, event) in TRANSITIONS if before is OrderStatus.INACTIVE}
    assert out_of_waiting == {OrderEventKind.ACTIVATE, OrderEventKind.REPLACE, OrderEventKind.CANCEL}


def test_D03_every_event_is_used() -> None:
    assert {event for _, event in TRANSITIONS} == set(OrderEventKind)
