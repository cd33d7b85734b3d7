"""The writing half of the journal: one batch in one transaction that is under way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import Connection, select, update

from trading_api.modules.broker import tables
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.events import Event
from trading_api.modules.broker.journal.account_row import AccountRow
from trading_api.modules.broker.journal.batch import CommandAnswer
from trading_api.modules.broker.journal.current import Current, take_all
from trading_api.modules.broker.journal.event_rows import EventRow
from trading_api.modules.broker.journal.portions import portions
from trading_api.modules.broker.journal.statements import delete_rows, insert_rows, upsert_rows

Written: TypeAlias = Sequence[tuple[Event, EventRow]]
"""Events, each with its row of the log, which was made before the transaction began."""
_NOBODY = ""


def write_events(connection: Connection, written: Written, terms: AccountTerms) -> None:
    """Append to the log, and write what it amounts to now. Raises SequenceBroken, RecordError."""
    rows = _account_rows(connection, {event.account_id for event, _ in written}, terms)
    accounts = take_all(rows, ((event, row[-1]) for event, row in written))
    insert_rows(connection, tables.events, [row for _, row in written])
    _forget_before_reset(connection, [account for account in accounts if account.was_reset])
    upsert_rows(connection, tables.orders, [row for account in accounts for row in account.orders.values()])
    _write_positions(connection, accounts)
    upsert_rows(connection, tables.accounts, [account.row().columns() for account in accounts])


def write_answers(connection: Connection, answers: Sequence[CommandAnswer], now_ms: int) -> None:
    """Keep the answers; a command that was answered already is an error of the database."""
    rows = [(each.account_id, each.command_id, each.body_hash, each.answer_json, now_ms) for each in answers]
    insert_rows(connection, tables.commands, rows)


def try_to_write(connection: Connection, now_ms: int) -> None:
    """Touch every table that commits write to, under an account that nobody has."""
    write_answers(connection, [CommandAnswer(_NOBODY, "trial", "", "")], now_ms)
    for table in (tables.events, tables.orders, tables.positions, tables.accounts, tables.commands):
        delete_rows(connection, table, [(_NOBODY,)])


def _account_rows(connection: Connection, account_ids: set[str], terms: AccountTerms) -> dict[str, AccountRow]:
    """The rows as they are, locked; new ones for accounts of which nothing is written yet."""
    rows = {account_id: AccountRow.new(account_id, terms) for account_id in account_ids}
    for some in portions(account_ids):
        query = select(*tables.accounts.c).where(tables.accounts.c.account_id.in_(some)).with_for_update()
        rows |= {found.account_id: AccountRow.read(*found) for found in connection.execute(query)}
    return rows


def _forget_before_reset(connection: Connection, accounts: Sequence[Current]) -> None:
    for account in accounts:
        orders = update(tables.orders).where(tables.orders.c.live, tables.orders.c.account_id == account.account_id)
        connection.execute(orders.values(live=False))
    delete_rows(connection, tables.positions, [(account.account_id,) for account in accounts])


def _write_positions(connection: Connection, accounts: Sequence[Current]) -> None:
    values = [(account.account_id, *each) for account in accounts for each in account.positions.items()]
    delete_rows(connection, tables.positions, [(account, symbol) for account, symbol, text in values if text is None])
    upsert_rows(connection, tables.positions, [(*key, text) for *key, text in values if text is not None])
