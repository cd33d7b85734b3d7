"""The account as on its first day (`/debug/reset`, development only)."""

from dataclasses import replace

from trading_api.modules.broker.domain.amounts import ZERO
from trading_api.modules.broker.domain.order_state import OrderEventKind
from trading_api.modules.broker.domain.order_steps import ended
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import Reset


def reset(rec: Recorder, _request: Reset) -> str:
    """Cancel what is live, announce every position as closed, then begin anew. Nothing is deleted from the log, and the
    counters of orders, executions and events go on, so nothing that a client knows is ever said of something else."""
    for order in tuple(rec.state.orders.values()):
        rec.order(ended(order, OrderEventKind.CANCEL, "The account was reset."))
    for position in tuple(rec.state.positions.values()):
        rec.position(replace(position, qty=ZERO, cost=ZERO))
    rec.reset(rec.state.terms.balance)
    rec.cash(ZERO, ZERO)
    return "The account was reset."
