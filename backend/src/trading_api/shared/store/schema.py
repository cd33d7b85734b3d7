"""The metadata in which every table of this project registers, and its column types."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

# A constraint without a name cannot be changed by a later migration.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

INT64 = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits in both databases: times in ms UTC, scaled prices. SQLite numbers rows by itself for INTEGER keys only."""
