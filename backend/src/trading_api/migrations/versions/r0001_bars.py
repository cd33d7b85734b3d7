"""The tables of the first stores: instruments, series and bars. Existing ones are stamped with it, never recreated."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "instruments",
        sa.Column("name", sa.Text(), nullable=False),
        *(_text(name) for name in ("exchange", "type", "description", "session", "timezone")),
        *(_integer(name) for name in ("pricescale", "minmov")),
        _small("volume_precision"),
        sa.PrimaryKeyConstraint("name", name="pk_instruments"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "series",
        sa.Column("id", _INT64, nullable=False, autoincrement=True),
        *(_text(name) for name in ("symbol", "resolution")),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("symbol", "resolution", name="uq_series_symbol_resolution"),
    )
    op.create_table(
        "bars",
        *(_integer(name) for name in ("series_id", "time_ms")),
        _small("price_scale"),
        *(_integer(name) for name in ("open", "high", "low", "close")),
        _small("volume_scale"),
        _integer("volume"),
        sa.PrimaryKeyConstraint("series_id", "time_ms", name="pk_bars"),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name="fk_bars_series_id_series"),
        sqlite_with_rowid=False,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, _INT64, nullable=False)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)
