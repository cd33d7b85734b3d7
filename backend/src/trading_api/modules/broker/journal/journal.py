"""The broker's journal: what is committed here is not lost, and is what a restart begins with.

The log of events is the truth. The rows that say what is now are written in the same transaction, so that a restart
reads what lives and no log, however long that is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection, Engine

from trading_api.modules.broker.domain.account import AccountState, new_account
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.apply import BrokenLogError
from trading_api.modules.broker.domain.events import Event, ExecutionEvent
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.journal import queries
from trading_api.modules.broker.journal.account_row import number_of
from trading_api.modules.broker.journal.audit import Audit
from trading_api.modules.broker.journal.batch import Batch, CommandAnswer
from trading_api.modules.broker.journal.commit import try_to_write, write_answers, write_events
from trading_api.modules.broker.journal.current import SequenceBroken
from trading_api.modules.broker.journal.event_rows import KINDS, event_row
from trading_api.modules.broker.journal.purge import AnswerPurge
from trading_api.modules.broker.journal.record import RecordError
from trading_api.modules.broker.journal.standing import Standing, give_id, standing_of, stored_id
from trading_api.shared.store.engine import address_of, reading, writing
from trading_api.shared.store.errors import StoreError

Fence = Callable[[Connection], None]
"""Called first in the transaction; raises, and nothing is written, unless this process may write (Lease.fence)."""
_AUDIT_PAGE = 1000


def wall_clock_ms() -> int:
    """ms UTC."""
    return time.time_ns() // 1_000_000


class Journal:
    """On an engine for `orders_url(store_url)`. Each method blocks, is for any thread, and raises StoreError.

    `terms`: those on which accounts trade now; they are settings, and not in the log. Reads see one moment of the
    store, and find nothing where there is none.
    """

    def __init__(
        self,
        engine: Engine,
        terms: AccountTerms | None = None,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._terms = terms or AccountTerms()
        self._now_ms = now_ms
        self._purge = AnswerPurge(clock)

    def commit(self, batch: Batch, fence: Fence) -> None:
        """All of the batch in one transaction, or nothing: it is durable when this returns.

        Raises what `fence` raises; StoreError also when the events do not follow those that are written, and when a
        command was answered before. One thread at a time.
        """
        with self._explained():
            written = [(event, event_row(event)) for event in batch.events]
            with writing(self._engine) as connection:
                fence(connection)
                write_events(connection, written, self._terms)
                now_ms = self._now_ms()
                write_answers(connection, batch.answers, now_ms)
                self._purge.run(connection, now_ms)

    def trial(self, fence: Fence) -> None:
        """Whether a commit would go through: write to every table, leave nothing. Raises as `commit`."""
        with self._explained(), writing(self._engine) as connection:
            fence(connection)
            try_to_write(connection, self._now_ms())

    def load(self) -> list[AccountState]:
        """Every account with its live orders and open positions."""
        with self._reading() as connection:
            return self._states(connection) if connection else []

    def leverages(self, account_id: str) -> dict[str, Decimal]:
        """What an account chose, by symbol."""
        with self._reading() as connection:
            rows = queries.account_rows(connection, account_id) if connection else []
            return {each.symbol: each.leverage for row in rows for each in row.book.leverages}

    def orders(self, account_id: str, since_ms: int = 0) -> list[Order]:
        """All live orders, and final ones since a time (ms UTC, of their last change) and since the last reset, 1000 of
        these at most, the newest. In the order in which they were made."""
        with self._reading() as connection:
            if connection is None:
                return []
            live = queries.live_orders(connection, account_id).get(account_id, [])
            return sorted([*live, *queries.final_orders(connection, account_id, since_ms)], key=number_of)

    def positions(self, account_id: str) -> list[Position]:
        """The open ones, by symbol."""
        with self._reading() as connection:
            return queries.open_positions(connection, account_id).get(account_id, []) if connection else []

    def executions(
        self, account_id: str, symbol: str, limit: int = queries.MOST_EXECUTIONS, before_seq: int | None = None
    ) -> list[ExecutionEvent]:
        """The `limit` newest since the last reset, and before `before_seq`, ascending by time. `symbol` is the
        canonical name."""
        with self._reading() as connection:
            if connection is None:
                return []
            return queries.executions_of(connection, account_id, symbol, limit, before_seq)

    def events_after(self, account_id: str, seq: int, kinds: Collection[type[Event]] | None, limit: int) -> list[Event]:
        """The events with a greater `seq`, ascending, `limit` at most; `kinds` None: of every kind."""
        names = None if kinds is None else [KINDS[kind] for kind in kinds]
        with self._reading() as connection:
            return queries.events_after(connection, account_id, seq, names, limit) if connection else []

    def last_seqs(self, account_ids: Collection[str]) -> dict[str, int]:
        """How far each account's log goes; an account without events is left out."""
        with self._reading() as connection:
            return queries.last_seqs(connection, account_ids) if connection else {}

    def answers(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], CommandAnswer]:
        """What was answered to commands, by (account_id, command_id); kept for a day at least."""
        with self._reading() as connection:
            return queries.stored_answers(connection, keys) if connection else {}

    def identify(self) -> str:
        """Which store this is: an id that is made at first need, and which a copy of the store keeps."""
        with self._reading() as connection:
            known = stored_id(connection) if connection else None
        if known is not None:
            return known
        with writing(self._engine) as connection:
            give_id(connection)
            made = stored_id(connection)
        assert made is not None, "it was just given"
        return made

    def standing(self) -> Standing | None:
        """Which store this is, and who writes to it; None while it has no id."""
        with self._reading() as connection:
            return standing_of(connection) if connection else None

    def verify(self, account_id: str) -> list[str]:
        """Replay an account's whole log and say, in words, where the rows differ from it, and what does not add up.

        Takes some tenths of a millisecond per event.
        """
        with self._reading() as connection:
            return self._audit(connection, account_id) if connection else []

    def _audit(self, connection: Connection, account_id: str) -> list[str]:
        rows = queries.account_rows(connection, account_id)
        terms = replace(self._terms, balance=rows[0].book.opened_with) if rows else self._terms
        audit = Audit(new_account(account_id, terms))
        try:
            for event in queries.whole_log(connection, account_id, _AUDIT_PAGE):
                audit.take(event)
        except BrokenLogError as error:
            return [f"the log is broken: {error}"]
        current = next(iter(self._states(connection, account_id)), new_account(account_id, terms))
        current.terms = terms
        return audit.differences(current, queries.order_columns(connection, account_id))

    def _states(self, connection: Connection, account_id: str | None = None) -> list[AccountState]:
        orders = queries.live_orders(connection, account_id)
        positions = queries.open_positions(connection, account_id)
        return [
            row.state(self._terms, orders.get(row.account_id, []), positions.get(row.account_id, []))
            for row in queries.account_rows(connection, account_id)
        ]

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        with self._explained(), reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What a row or an event should not be, as the store's error: it names the file too."""
        try:
            yield
        except (RecordError, SequenceBroken) as error:
            raise StoreError(f"{address_of(self._engine).place}: {error}") from None
