"""Finding what a request names, or saying why it cannot be found."""

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for, not_found
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.recorder import Recorder


def live_order(state: AccountState, order_id: str, field: Field = Field.ORDER_ID) -> Order | Refusal:
    """The live order of that id. Unknown or final → 400 with words (trading.md, modifyOrder and cancelOrder).

    `field` is the one that names it.
    """
    order = state.orders.get(order_id)
    return order if order is not None else invalid_for(Problem(field, _not_live(state, order_id)))


def _not_live(state: AccountState, order_id: str) -> str:
    status = state.finals.get(order_id)
    if status is not None:
        return f"Order {order_id} is {status.name.title()} already."
    if order_id.isascii() and order_id.isdigit() and 0 < int(order_id[:20]) < state.next_order:
        return f"Order {order_id} is final already: Filled, Canceled or Rejected."
    return f"Order {order_id[:40]} is not known."


def open_position(rec: Recorder, position_id: str) -> Position | Refusal:
    """The open position of that id: its symbol, by any of its names. Unknown → 404 (trading.md, closePosition)."""
    held = rec.state.positions.get(position_id)
    view = rec.view(position_id) if held is None else None
    if view is not None:
        held = rec.state.positions.get(view.instrument.symbol)
    if held is not None:
        return held
    text = f"Position {position_id[:80]} is not known: nothing is held of it."
    return not_found(Problem(Field.POSITION_ID, text))
