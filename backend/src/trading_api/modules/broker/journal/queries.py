"""The queries of the journal, each answered by an index, and what their rows mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TypeVar

from sqlalchemy import Connection, ScalarSelect, Select, false, literal_column, select, true, union_all

from trading_api.modules.broker.domain.events import Event, ExecutionEvent
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.journal.account_row import AccountRow
from trading_api.modules.broker.journal.audit import OrderColumns
from trading_api.modules.broker.journal.batch import CommandAnswer
from trading_api.modules.broker.journal.event_rows import ORDERS, POSITIONS, Kind, event_of
from trading_api.modules.broker.journal.naming import named_row
from trading_api.modules.broker.journal.portions import portions
from trading_api.modules.broker.journal.record import Record
from trading_api.modules.broker.tables import accounts, commands, events, orders, positions

MOST_FINALS = 1000
"""How many final orders of an account are listed: the newest."""
MOST_EXECUTIONS = 10_000
"""How many executions are listed at once: the newest before some `seq`."""
T = TypeVar("T")


def account_rows(connection: Connection, account_id: str | None = None) -> list[AccountRow]:
    """All accounts, or the one, if there is anything written of it."""
    query = select(*accounts.c)
    if account_id is not None:
        query = query.where(accounts.c.account_id == account_id)
    return [AccountRow.read(*row) for row in connection.execute(query)]


def live_orders(connection: Connection, account_id: str | None = None) -> dict[str, list[Order]]:
    """By account; of all accounts, or of one."""
    query = select(orders.c.account_id, orders.c.order_id, orders.c.payload).where(orders.c.live == true())
    if account_id is not None:
        query = query.where(orders.c.account_id == account_id)
    return _by_account(connection, query, ORDERS, "broker_orders")


def open_positions(connection: Connection, account_id: str | None = None) -> dict[str, list[Position]]:
    """By account; of all accounts, or of one."""
    query = select(positions.c.account_id, positions.c.symbol, positions.c.payload)
    if account_id is not None:
        query = query.where(positions.c.account_id == account_id)
    return _by_account(
        connection, query.order_by(positions.c.account_id, positions.c.symbol), POSITIONS, "broker_positions"
    )


def final_orders(connection: Connection, account_id: str, since_ms: int) -> list[Order]:
    """The newest of those that ended after the last reset, and at `since_ms` or later."""
    query = (
        select(orders.c.account_id, orders.c.order_id, orders.c.payload)
        .where(orders.c.live == false(), orders.c.account_id == account_id)
        .where(orders.c.reset_seq == _reset_seq(account_id), orders.c.updated_ms >= since_ms)
        .order_by(orders.c.updated_ms.desc(), orders.c.seq.desc())
        .limit(MOST_FINALS)
    )
    return _by_account(connection, query, ORDERS, "broker_orders").get(account_id, [])


def order_columns(connection: Connection, account_id: str) -> Iterator[OrderColumns]:
    """The rows of all orders that an account ever had."""
    names = ("order_id", "live", "reset_seq", "updated_ms", "seq", "payload")
    query = select(*(orders.c[name] for name in names)).where(orders.c.account_id == account_id)
    for row in connection.execute(query):
        yield tuple(row)


def executions_of(
    connection: Connection, account_id: str, symbol: str, limit: int, before_seq: int | None
) -> list[ExecutionEvent]:
    """The newest after the last reset, and before `before_seq`; ascending by time, `seq` decides between equal ones."""
    query = (
        _events(account_id)
        # The index of executions is asked for in its own words, or SQLite does not see that it fits.
        .where(literal_column("kind") == literal_column("'execution'"), events.c.symbol == symbol)
        .where(events.c.seq > _reset_seq(account_id))
        .order_by(events.c.seq.desc())
        .limit(limit)
    )
    if before_seq is not None:
        query = query.where(events.c.seq < before_seq)
    found = [event for event in _read_events(connection, query) if isinstance(event, ExecutionEvent)]
    return sorted(found, key=lambda event: (event.execution.time_ms, event.seq))


def events_after(
    connection: Connection, account_id: str, seq: int, kinds: Collection[Kind] | None, limit: int
) -> list[Event]:
    """Ascending; None: of every kind."""
    if kinds is not None and not kinds:
        return []
    if kinds is None:
        query = _events(account_id).where(events.c.seq > seq)
    else:
        query = _events(account_id).where(events.c.seq.in_(_numbers(account_id, seq, kinds, limit)))
    return list(_read_events(connection, query.order_by(events.c.seq).limit(limit)))


def _numbers(account_id: str, seq: int, kinds: Collection[Kind], limit: int) -> Select[int]:
    """The next `limit` of each kind: of several kinds in one condition, all that there are would have to be sorted."""
    each = [
        select(events.c.seq)
        .where(events.c.account_id == account_id, events.c.kind == kind, events.c.seq > seq)
        .order_by(events.c.seq)
        .limit(limit)
        .subquery()
        for kind in kinds
    ]
    return select(union_all(*(select(part.c.seq) for part in each)).subquery().c.seq)


def last_seqs(connection: Connection, account_ids: Collection[str]) -> dict[str, int]:
    """How far each account's log goes; without those of which there is none."""
    found: dict[str, int] = {}
    for some in portions(account_ids):
        query = select(accounts.c.account_id, accounts.c.seq).where(accounts.c.account_id.in_(some))
        found |= {row.account_id: row.seq for row in connection.execute(query)}
    return found


def stored_answers(connection: Connection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], CommandAnswer]:
    """Those that there are."""
    columns = (commands.c.account_id, commands.c.command_id, commands.c.body_hash, commands.c.answer)
    ids: dict[str, list[str]] = defaultdict(list)
    for account_id, command_id in keys:
        ids[account_id].append(command_id)
    found = {}
    # Account by account: for pairs SQLite would go through the whole table.
    for account_id, some in ((account_id, some) for account_id, every in ids.items() for some in portions(every)):
        query = select(*columns).where(commands.c.account_id == account_id, commands.c.command_id.in_(some))
        for row in connection.execute(query):
            answer = CommandAnswer(*row)
            found[answer.key] = answer
    return found


def whole_log(connection: Connection, account_id: str, page: int) -> Iterator[Event]:
    """Every event of an account, ascending, `page` of them in memory at once."""
    seq = 0
    while found := events_after(connection, account_id, seq, None, page):
        yield from found
        seq = found[-1].seq


def _events(account_id: str) -> Select[str, int, str, int, str]:
    columns = (events.c.account_id, events.c.seq, events.c.kind, events.c.time_ms, events.c.payload)
    return select(*columns).where(events.c.account_id == account_id)


def _reset_seq(account_id: str) -> ScalarSelect[int]:
    return select(accounts.c.reset_seq).where(accounts.c.account_id == account_id).scalar_subquery()


def _read_events(connection: Connection, query: Select[str, int, str, int, str]) -> Iterator[Event]:
    for row in connection.execute(query).all():
        with named_row("broker_events", row.account_id, row.seq):
            yield event_of(row.account_id, row.seq, row.kind, row.time_ms, row.payload)


def _by_account(
    connection: Connection, query: Select[str, str, str], record: Record[T], table: str
) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for account_id, key, payload in connection.execute(query).all():
        with named_row(table, account_id, key):
            found[account_id].append(record.value(payload))
    return found
