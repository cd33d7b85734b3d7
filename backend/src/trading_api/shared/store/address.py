"""What a store URL says. Imports no database library, so that asking costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from trading_api.shared.store.errors import StoreUrlError

_SQLITE = "sqlite:///"
_POSTGRES = "postgresql://"
_USAGE = f"use {_SQLITE}path/to/file.db or {_POSTGRES}user@host/database"


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where a store is. `path` is the SQLite file as the URL writes it, None for PostgreSQL.

    `place` is for messages: the file, or host:port/database. It never holds a password.
    """

    place: str
    path: Path | None = None


def parse_store_url(url: str) -> StoreAddress:
    """`sqlite:///relative.db` (from the working folder), `sqlite:////absolute.db`, `postgresql://user@host:port/name`.

    Raises StoreUrlError. Its message never repeats a PostgreSQL URL, for that may hold a password.
    """
    scheme, colon, _ = url.partition(":")
    if colon and scheme == "sqlite":
        return _sqlite(url)
    if colon and scheme == "postgresql":
        return _postgres(url)
    shown = repr(scheme) if colon else "none"
    raise StoreUrlError(f"store URL: scheme {shown} is not supported; {_USAGE}")


def orders_url(url: str) -> str:
    """Where the orders of the store at `url` are kept: `sqlite:///x/trading.db` → `sqlite:///x/trading.orders.db`.

    SQLite has one write lock per file, and an import of bars holds it for seconds, so orders have a file of their own.
    PostgreSQL locks rows: there it is the same database. Raises StoreUrlError.
    """
    if parse_store_url(url).path is None:
        return url
    folder, slash, name = url.rpartition("/")
    stem, _, suffix = name.rpartition(".")
    return f"{folder}{slash}{stem}.orders.{suffix}" if stem else f"{folder}{slash}{name}.orders"


def store_urls(url: str) -> tuple[str, ...]:
    """Everything that belongs to the store at `url`, each place once: its orders, then the rest. StoreUrlError."""
    return tuple(dict.fromkeys((orders_url(url), url)))


def _sqlite(url: str) -> StoreAddress:
    path = url.removeprefix(_SQLITE)
    if path == url or not path or path.endswith("/") or "?" in path or "\0" in path or path == ":memory:":
        raise StoreUrlError(f"store URL {url!r} names no file; use {_SQLITE}path/to/file.db, without parameters")
    return StoreAddress(place=path, path=Path(path))


def _postgres(url: str) -> StoreAddress:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise StoreUrlError(f"store URL: its host or port cannot be read; {_USAGE}") from error
    if parts.netloc.count("@") > 1:
        # What stands after the first would be taken for the host, and shown.
        raise StoreUrlError("store URL: more than one @ before the host; write those of a user or password as %40")
    database = unquote(parts.path.removeprefix("/"))
    if not url.startswith(_POSTGRES) or not database or "/" in database:
        raise StoreUrlError(f"store URL names no database; use {_POSTGRES}user@host:5432/database")
    return StoreAddress(place=f"{_host(parts)}:{port or _query(parts, 'port') or 5432}/{database}")


def _host(parts: SplitResult) -> str:
    """A socket's folder may stand among the parameters, as in ?host=/run/postgresql."""
    return parts.hostname or _query(parts, "host") or "localhost"


def _query(parts: SplitResult, name: str) -> str:
    return parse_qs(parts.query).get(name, [""])[0]
