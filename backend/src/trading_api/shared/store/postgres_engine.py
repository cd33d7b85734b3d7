"""A SQLAlchemy engine on a PostgreSQL database. Only such a store loads its driver."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from trading_api.shared.store.address import StoreAddress
from trading_api.shared.store.errors import StoreUrlError
from trading_api.shared.store.options import ADDRESS

CONNECT_SECONDS = 5
LOCK_MS = 5000
"""How long a statement waits for another transaction: as long as SQLite's writers do."""
_KEPT_OPEN = 5
_MOST = 15


def postgres_engine(url: str, address: StoreAddress) -> Engine:
    """Connects when a connection is asked for; a dead one is replaced before use. Raises StoreUrlError."""
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        # The cause would repeat the URL.
        raise StoreUrlError("store URL: cannot be read; use postgresql://user@host:5432/database") from None
    return create_engine(
        parsed,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            # A server that vanished without a word is noticed as soon.
            "tcp_user_timeout": CONNECT_SECONDS * 1000,
            "keepalives_idle": CONNECT_SECONDS,
            "application_name": "trading-api",
            "options": f"-c lock_timeout={LOCK_MS} -c timezone=UTC",
        },
        pool_size=_KEPT_OPEN,
        max_overflow=_MOST - _KEPT_OPEN,
        pool_timeout=CONNECT_SECONDS,
        pool_use_lifo=True,
        pool_pre_ping=True,
        use_native_hstore=False,
        execution_options={ADDRESS: address},
    )
