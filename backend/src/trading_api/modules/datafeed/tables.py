"""The datafeed's tables. Times are ms UTC; a price or volume is an integer, its value integer / 10**scale."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from trading_api.shared.store.schema import INT64, metadata

instruments = Table(
    "instruments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("pricescale", INT64, nullable=False),
    Column("minmov", INT64, nullable=False),
    Column("volume_precision", Integer, nullable=False),
    Column("calendar", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

# `derived`: computed from finer bars, and computed again when those change.
series = Table(
    "series",
    metadata,
    Column("id", INT64, primary_key=True, autoincrement=True),
    Column("symbol", Text, nullable=False),
    Column("resolution", Text, nullable=False),
    Column("derived", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("symbol", "resolution", "derived"),
)

bars = Table(
    "bars",
    metadata,
    Column("series_id", INT64, ForeignKey("series.id"), primary_key=True, autoincrement=False),
    Column("time_ms", INT64, primary_key=True, autoincrement=False),
    Column("price_scale", Integer, nullable=False),
    Column("open", INT64, nullable=False),
    Column("high", INT64, nullable=False),
    Column("low", INT64, nullable=False),
    Column("close", INT64, nullable=False),
    Column("volume_scale", Integer, nullable=False),
    Column("volume", INT64, nullable=False),
    sqlite_with_rowid=False,
)

# What tests and demonstrations push into a feed of kind `manual`, in the order in which it came.
manual_ticks = Table(
    "manual_ticks",
    metadata,
    Column("seq", INT64, primary_key=True, autoincrement=True),
    Column("symbol", Text, nullable=False),
    Column("time_ms", INT64, nullable=False),
    Column("price_scale", Integer, nullable=False),
    Column("bid", INT64, nullable=False),
    Column("ask", INT64, nullable=False),
    Column("last", INT64, nullable=False),
    Column("volume_scale", Integer, nullable=False),
    Column("volume", INT64, nullable=False),
    Index(None, "symbol", "seq"),
    # A number is never given twice, also after the newest ticks were deleted.
    sqlite_autoincrement=True,
)

# When a replay with this configuration began, by the wall clock: all instances share that moment.
replay_runs = Table(
    "replay_runs",
    metadata,
    Column("key", Text, primary_key=True),
    Column("anchor_ms", INT64, nullable=False),
)
