"""Calendars, bars computed from finer ones, leases, pushed ticks and replays."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# The first stores' constraints have no name; it is given here so that it can be dropped.
_NAMES = {"uq": "uq_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}


def upgrade() -> None:
    with op.batch_alter_table("instruments") as instruments:
        instruments.add_column(sa.Column("calendar", sa.Text(), nullable=False, server_default=""))
    _tell_derived_series_apart()
    _create_leases()
    _create_feed_tables()
    if op.get_bind().dialect.name == "sqlite":
        # Programs from before migrations were counted refuse a file with this version instead of misreading it.
        op.execute("PRAGMA user_version = 2")


def _tell_derived_series_apart() -> None:
    with op.batch_alter_table("series", naming_convention=_NAMES) as series:
        series.add_column(sa.Column("derived", sa.Boolean(), nullable=False, server_default=sa.false()))
        series.drop_constraint("uq_series_symbol_resolution", type_="unique")
        series.create_unique_constraint("uq_series_symbol_resolution_derived", ["symbol", "resolution", "derived"])


def _create_leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("epoch", _INT64, nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("beat", _INT64, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def _create_feed_tables() -> None:
    op.create_table(
        "manual_ticks",
        sa.Column("seq", _INT64, nullable=False, autoincrement=True),
        sa.Column("symbol", sa.Text(), nullable=False),
        _integer("time_ms"),
        _small("price_scale"),
        *(_integer(name) for name in ("bid", "ask", "last")),
        _small("volume_scale"),
        _integer("volume"),
        sa.PrimaryKeyConstraint("seq", name="pk_manual_ticks"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_manual_ticks_symbol_seq", "manual_ticks", ["symbol", "seq"])
    op.create_table(
        "replay_runs",
        sa.Column("key", sa.Text(), nullable=False),
        _integer("anchor_ms"),
        sa.PrimaryKeyConstraint("key", name="pk_replay_runs"),
    )


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, _INT64, nullable=False)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)
