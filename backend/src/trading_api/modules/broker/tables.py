"""The broker's tables: the log of events, what it amounts to now, and answers to commands.

Times are ms UTC. Values stand in JSON text, decimals in it as strings, so that they are exact in both databases; the
other columns are those that queries need. `orders_url` tells where these tables are used.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text

from trading_api.shared.store.schema import INT64, metadata

# One row: which store this is, wherever it is, for those who meet on a bus. A copy keeps the id.
stores = Table(
    "broker_store",
    metadata,
    Column("number", INT64, primary_key=True, autoincrement=False),
    Column("store_id", Text, nullable=False),
)

# One row per account: `seq` of its last event, and of its last reset (0: none).
accounts = Table(
    "broker_accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("seq", INT64, nullable=False),
    Column("reset_seq", INT64, nullable=False),
    Column("payload", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Every order as it is now, final ones too. `reset_seq`: the account's when the order was last written; what is from
# before a reset is not listed any more. `live`: may change still.
orders = Table(
    "broker_orders",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("live", Boolean, nullable=False),
    Column("reset_seq", INT64, nullable=False),
    Column("updated_ms", INT64, nullable=False),
    Column("seq", INT64, nullable=False),
    Column("payload", Text, nullable=False),
    # All live orders of all accounts; those of one; the newest final ones of one since a time.
    Index("ix_broker_orders_listing", "live", "account_id", "reset_seq", "updated_ms", "seq"),
)

# Open positions only.
positions = Table(
    "broker_positions",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("payload", Text, nullable=False),
    sqlite_with_rowid=False,
)

# The log. `seq` counts from 1 without a gap in each account; `symbol` is empty where an event is of none.
events = Table(
    "broker_events",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("seq", INT64, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("time_ms", INT64, nullable=False),
    Column("payload", Text, nullable=False),
    Index("ix_broker_events_account_id_kind_seq", "account_id", "kind", "seq"),
    # Of executions only, as its migration says. To say it here too would load the dialect of the other database.
    Index("ix_broker_events_executions", "account_id", "symbol", "seq"),
)

# What was answered to which command, so that a retry gets the same answer.
commands = Table(
    "broker_commands",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("command_id", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_ms", INT64, nullable=False),
    Index("ix_broker_commands_created_ms", "created_ms"),
)
