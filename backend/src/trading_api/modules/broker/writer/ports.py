"""What the writer needs of its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeAlias

from sqlalchemy import Connection

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.events import EquityEvent, Event
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.outcome import Outcome
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.requests import Request
from trading_api.modules.broker.domain.worth import Equity
from trading_api.modules.broker.journal.batch import Batch, CommandAnswer
from trading_api.modules.broker.journal.standing import Standing
from trading_api.modules.broker.writer.call import CallKey

Fence: TypeAlias = Callable[[Connection], None]


class StandingPort(Protocol):
    """What the store says of itself. Each method blocks, and raises StoreError."""

    def identify(self) -> str:
        """Which store this is, for ever; the same for everybody who works on it."""
        ...

    def standing(self) -> Standing | None:
        """Which store this is, and who writes to it; None while it has no id."""
        ...


class JournalPort(StandingPort, Protocol):
    """The store. Each method blocks, and raises StoreError."""

    def load(self) -> Sequence[AccountState]:
        """Every account as it is."""
        ...

    def commit(self, batch: Batch, fence: Fence) -> None:
        """All of it or nothing; the fence is asked first, in the same transaction."""
        ...

    def trial(self, fence: Fence) -> None:
        """Whether a commit would go through; leaves nothing behind."""
        ...

    def answers(self, keys: Collection[CallKey]) -> Mapping[CallKey, CommandAnswer]:
        """What was answered under these, as far as they are known."""
        ...


class DeskPort(Protocol):
    """All accounts in memory (domain)."""

    def add(self, state: AccountState) -> None: ...

    def has(self, account_id: str) -> bool: ...

    def open(self, account_id: str) -> AccountState: ...

    def state(self, account_id: str) -> AccountState: ...

    def order(self, account_id: str, order_id: str) -> Order | None: ...

    def execute(
        self, account_id: str, request: Request, market: Callable[[str], MarketView | None], now_ms: int
    ) -> Outcome: ...

    def on_market(self, view: MarketView, now_ms: int) -> tuple[Event, ...]: ...

    def on_clock(self, symbol: str, feed_ms: int | None, now_ms: int) -> tuple[Event, ...]: ...

    def unvalued(self) -> frozenset[str]: ...

    def is_valued(self, symbol: str) -> bool: ...

    def price(self, quote: Quote) -> None: ...

    def no_price(self, symbol: str) -> None: ...

    def is_reached(self, quote: Quote) -> bool: ...

    def symbols(self) -> frozenset[str]: ...

    def equity(self, account_id: str) -> Equity: ...


class LeaseKeeping(Protocol):
    """The right to write, as LeaseKeeper keeps it."""

    @property
    def held(self) -> bool: ...

    def fence(self, connection: Connection) -> None: ...

    def on_change(self, callback: Callable[[int | None], None]) -> None: ...

    def start(self) -> None: ...

    def wake(self) -> None: ...

    async def release(self) -> None: ...


class Listener(Protocol):
    """Hears of everything in the writer's own instance, after the commit, in the event loop. Must not raise."""

    def written(self, account_id: str, events: Sequence[Event]) -> None:
        """These are durable; consecutive, of one account."""

    def worth(self, event: EquityEvent) -> None:
        """Quotes changed what an account is worth. `seq` is that of its last event; this one is not in the log."""
