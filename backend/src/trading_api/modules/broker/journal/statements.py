"""SQL for the driver itself, many rows at a time: SQLAlchemy's own costs more than the databases do.

Both databases take the same text but for the sign of a parameter. Rows are tuples in the order of a table's columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, Table

Row = tuple[str | int | bool, ...]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add rows; one whose key is there already is an error of the database."""
    _run(connection, _insert(table, _sign(connection)), rows)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add rows, or write them over those with the same key."""
    _run(connection, _upsert(table, _sign(connection)), rows)


def delete_rows(connection: Connection, table: Table, keys: Sequence[Row]) -> None:
    """Remove the rows with these keys, or these first columns of the key; those that are not there do not matter."""
    if keys:
        _run(connection, _delete(table, len(keys[0]), _sign(connection)), keys)


def _run(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    if rows:
        connection.exec_driver_sql(statement, list(rows))


def _sign(connection: Connection) -> str:
    return "%s" if connection.dialect.name == "postgresql" else "?"


@cache
def _insert(table: Table, sign: str) -> str:
    names = table.columns.keys()
    # No text of anybody's: the names of our own tables.
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([sign] * len(names))})"  # noqa: S608


@cache
def _upsert(table: Table, sign: str) -> str:
    keys = table.primary_key.columns.keys()
    others = [column.name for column in table.columns if not column.primary_key]
    news = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f"{_insert(table, sign)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {news}"


@cache
def _delete(table: Table, columns: int, sign: str) -> str:
    keys = table.primary_key.columns.keys()[:columns]
    return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = {sign}' for name in keys)}"  # noqa: S608
