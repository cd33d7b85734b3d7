"""What an account is worth when somebody begins to follow it."""

from __future__ import annotations

import time
from typing import Protocol

from trading_api.modules.broker.domain.events import EquityEvent
from trading_api.modules.broker.writer.call import EquityNow
from trading_api.modules.broker.writer.errors import CommandError

PATIENCE_S = 2.0


class AskEquity(Protocol):
    """Commands.equity."""

    async def __call__(self, account_id: str, *, patience_s: float) -> EquityNow:
        """Raises a CommandError if nobody tells."""
        ...


async def current_equity(ask: AskEquity, account_id: str) -> EquityEvent | None:
    """As an event that is not in the log; None if the writer does not tell."""
    try:
        now = await ask(account_id, patience_s=PATIENCE_S)
    except CommandError:
        return None
    return EquityEvent(account_id, now.seq, time.time_ns() // 1_000_000, now.equity)
