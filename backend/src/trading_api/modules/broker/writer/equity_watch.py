"""Whose equity the quotes have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.events import EquityEvent, Event, PositionEvent, ResetEvent
from trading_api.modules.broker.domain.worth import Equity


class EquityWatch:
    """Remembers who holds what, and the equity that was told last."""

    def __init__(self, states: Iterable[AccountState]) -> None:
        self._holders: defaultdict[str, set[str]] = defaultdict(set)
        self._told: dict[str, Equity] = {}
        self._moved: set[str] = set()
        for state in states:
            for symbol in state.positions:
                self._holders[symbol].add(state.id)

    def heed(self, events: Iterable[Event]) -> None:
        """These happened."""
        for event in events:
            if isinstance(event, PositionEvent):
                self._hold(event)
            elif isinstance(event, EquityEvent):
                self._told[event.account_id] = event.equity
            elif isinstance(event, ResetEvent):
                self._forget(event.account_id)

    def moved(self, symbol: str) -> None:
        """There is a new quote."""
        if symbol in self._holders:
            self._moved.add(symbol)

    def take(self) -> list[str]:
        """The accounts that hold what moved since the last time."""
        moved, self._moved = self._moved, set()
        return sorted({account_id for symbol in moved for account_id in self._holders.get(symbol, ())})

    def tell(self, account_id: str, equity: Equity) -> bool:
        """Remember what is told of an account. False: that was told already."""
        if self._told.get(account_id) == equity:
            return False
        self._told[account_id] = equity
        return True

    def _hold(self, event: PositionEvent) -> None:
        symbol = event.position.symbol
        if event.position.is_open:
            self._holders[symbol].add(event.account_id)
        elif symbol in self._holders:
            self._release(symbol, event.account_id)

    def _forget(self, account_id: str) -> None:
        self._told.pop(account_id, None)
        for symbol in tuple(self._holders):
            self._release(symbol, account_id)

    def _release(self, symbol: str, account_id: str) -> None:
        self._holders[symbol].discard(account_id)
        if not self._holders[symbol]:
            del self._holders[symbol]
