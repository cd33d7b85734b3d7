"""The broker's log, its current rows and its answers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EXECUTIONS = sa.text("kind = 'execution'")


def upgrade() -> None:
    _create_store()
    _create_accounts()
    _create_orders()
    _create_positions()
    _create_events()
    _create_commands()


def _create_store() -> None:
    op.create_table(
        "broker_store",
        _integer("number"),
        _text("store_id"),
        sa.PrimaryKeyConstraint("number", name="pk_broker_store"),
    )


def _create_accounts() -> None:
    op.create_table(
        "broker_accounts",
        _text("account_id"),
        *(_integer(name) for name in ("seq", "reset_seq")),
        _text("payload"),
        sa.PrimaryKeyConstraint("account_id", name="pk_broker_accounts"),
        sqlite_with_rowid=False,
    )


def _create_orders() -> None:
    op.create_table(
        "broker_orders",
        *(_text(name) for name in ("account_id", "order_id")),
        sa.Column("live", sa.Boolean(), nullable=False),
        *(_integer(name) for name in ("reset_seq", "updated_ms", "seq")),
        _text("payload"),
        sa.PrimaryKeyConstraint("account_id", "order_id", name="pk_broker_orders"),
    )
    op.create_index(
        "ix_broker_orders_listing", "broker_orders", ["live", "account_id", "reset_seq", "updated_ms", "seq"]
    )


def _create_positions() -> None:
    op.create_table(
        "broker_positions",
        *(_text(name) for name in ("account_id", "symbol", "payload")),
        sa.PrimaryKeyConstraint("account_id", "symbol", name="pk_broker_positions"),
        sqlite_with_rowid=False,
    )


def _create_events() -> None:
    op.create_table(
        "broker_events",
        _text("account_id"),
        _integer("seq"),
        *(_text(name) for name in ("kind", "symbol")),
        _integer("time_ms"),
        _text("payload"),
        sa.PrimaryKeyConstraint("account_id", "seq", name="pk_broker_events"),
    )
    op.create_index("ix_broker_events_account_id_kind_seq", "broker_events", ["account_id", "kind", "seq"])
    op.create_index(
        "ix_broker_events_executions",
        "broker_events",
        ["account_id", "symbol", "seq"],
        sqlite_where=_EXECUTIONS,
        postgresql_where=_EXECUTIONS,
    )


def _create_commands() -> None:
    op.create_table(
        "broker_commands",
        *(_text(name) for name in ("account_id", "command_id", "body_hash", "answer")),
        _integer("created_ms"),
        sa.PrimaryKeyConstraint("account_id", "command_id", name="pk_broker_commands"),
    )
    op.create_index("ix_broker_commands_created_ms", "broker_commands", ["created_ms"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, _INT64, nullable=False)
