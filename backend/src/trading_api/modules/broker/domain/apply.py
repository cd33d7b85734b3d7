"""The only way in which an account's state changes: one event at a time. Replaying the log gives the same state."""

from trading_api.modules.broker.domain.account import REMEMBERED, AccountState
from trading_api.modules.broker.domain.amounts import ZERO
from trading_api.modules.broker.domain.events import (
    EquityEvent,
    Event,
    ExecutionEvent,
    LeverageEvent,
    OrderEvent,
    PositionEvent,
    ResetEvent,
)
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position


class BrokenLogError(RuntimeError):
    """The event is not the next one of this account."""


def apply(state: AccountState, event: Event) -> None:
    """Change the state by its next event. Raises `BrokenLogError` for a gap, a repetition, another account's event."""
    if event.account_id != state.id or event.seq != state.seq + 1:
        raise BrokenLogError(f"{state.id} is at {state.seq}; event {event.seq} of {event.account_id} does not follow")
    match event:
        case OrderEvent(order=order):
            _apply_order(state, order)
        case ExecutionEvent(execution=execution):
            state.next_execution = max(state.next_execution, int(execution.id) + 1)
        case PositionEvent(position=position):
            _apply_position(state, position)
        case EquityEvent(equity=equity):
            state.balance, state.realized, state.fees = equity.balance, equity.realized, equity.fees
        case LeverageEvent(symbol=symbol, leverage=leverage):
            state.leverages[symbol] = leverage
            state.reservations.leverage_changed(symbol)
        case ResetEvent():
            _apply_reset(state, event)
    state.seq = event.seq


def _apply_order(state: AccountState, order: Order) -> None:
    before = state.orders.get(order.id)
    if before is None and order.id in state.finals:
        raise BrokenLogError(f"{state.id}: order {order.id} is final and cannot change")
    state.next_order = max(state.next_order, int(order.id) + 1)
    state.sets.put(order, before)
    state.reservations.put(order)
    if order.is_live:
        state.orders[order.id] = order
    else:
        state.orders.pop(order.id, None)
        _remember(state, order)


def _remember(state: AccountState, order: Order) -> None:
    state.finals[order.id] = order.status
    if len(state.finals) > REMEMBERED:
        del state.finals[next(iter(state.finals))]


def _apply_position(state: AccountState, position: Position) -> None:
    if position.is_open:
        state.positions[position.symbol] = position
    else:
        state.positions.pop(position.symbol, None)
    state.reservations.position_changed(position.symbol)


def _apply_reset(state: AccountState, event: ResetEvent) -> None:
    state.balance, state.realized, state.fees = event.balance, ZERO, ZERO
    for held in (state.leverages, state.orders, state.positions, state.finals):
        held.clear()
    state.index()
