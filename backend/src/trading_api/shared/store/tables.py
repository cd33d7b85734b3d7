"""The store's own tables: those that no module owns."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from trading_api.shared.store.schema import INT64, metadata

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    # How often the lease changed hands; it only grows.
    Column("epoch", INT64, nullable=False),
    # Who holds it, for people to read; NULL: given back.
    Column("holder", Text),
    # Raised by the holder while it lives.
    Column("beat", INT64, nullable=False),
)
