"""A store as programs made it before migrations were counted: tables and version of that time, with rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

# Copied from the program of that time, so that no later edit changes what "old" means.
_DDL = (
    """CREATE TABLE main.instruments (
        name TEXT PRIMARY KEY, exchange TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL,
        session TEXT NOT NULL, timezone TEXT NOT NULL, pricescale INTEGER NOT NULL, minmov INTEGER NOT NULL,
        volume_precision INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE main.series (
        id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, resolution TEXT NOT NULL, UNIQUE (symbol, resolution)
    )""",
    """CREATE TABLE main.bars (
        series_id INTEGER NOT NULL REFERENCES series (id), time_ms INTEGER NOT NULL,
        price_scale INTEGER NOT NULL, open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,
        close INTEGER NOT NULL, volume_scale INTEGER NOT NULL, volume INTEGER NOT NULL,
        PRIMARY KEY (series_id, time_ms)
    ) WITHOUT ROWID""",
)
INSTRUMENTS = [
    ("AAPL", "NASDAQ", "stock", "Apple Inc.", "0930-1600", "America/New_York", 100, 1, 4),
    ("MÜNCHEN", "XETR", "stock", 'it\'s 100% "quoted"', "24x7", "Etc/UTC", 10**9, 1, 0),
]
SERIES = [(1, "AAPL", "1D"), (7, "AAPL", "1"), (8, "MÜNCHEN", "1")]
BARS = [
    (1, 1_700_000_000_000, 2, 18_999, 19_100, 18_500, 19_050, 4, 12_345_678),
    (7, 1_700_000_000_000, 9, 2**62, 2**63 - 1, 1, 2**62, 0, 2**63 - 1),
    *((8, 60_000 * n, 0, n, n, n, n, 0, n) for n in range(1, 500)),
]
QUERIES = {
    "instruments": "SELECT name, exchange, type, description, session, timezone, pricescale, minmov, volume_precision"
    " FROM instruments ORDER BY name",
    "series": "SELECT id, symbol, resolution FROM series ORDER BY id",
    "bars": "SELECT * FROM bars ORDER BY series_id, time_ms",
}
Rows = dict[str, list[tuple[str | int, ...]]]


def make_old_store(path: Path) -> Rows:
    """Write the file; returns its rows by table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _DDL:
            connection.execute(statement)
        connection.execute("PRAGMA main.user_version = 1")
        connection.executemany(f"INSERT INTO instruments VALUES ({', '.join('?' * 9)})", INSTRUMENTS)
        connection.executemany("INSERT INTO series VALUES (?, ?, ?)", SERIES)
        connection.executemany(f"INSERT INTO bars VALUES ({', '.join('?' * 9)})", BARS)
        connection.execute("COMMIT")
    return rows_of(path)


def rows_of(path: Path) -> Rows:
    """What the store holds in the columns of that time."""
    with closing(sqlite3.connect(path)) as connection:
        return {table: connection.execute(query).fetchall() for table, query in QUERIES.items()}
