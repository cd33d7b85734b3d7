"""From a store URL to a store."""

from __future__ import annotations

from pathlib import Path

from trading_api.modules.datafeed.sqlite_store import SqliteStore
from trading_api.modules.datafeed.store import Store

_PREFIX = "sqlite:///"


def open_store(url: str) -> Store:
    """`sqlite:///relative/path.db`, from the working folder, or `sqlite:////absolute/path.db`.

    Opens nothing yet. Raises ValueError for another scheme or a URL without a path.
    """
    scheme, colon, _ = url.partition(":")
    if not colon or scheme != "sqlite":
        # Only the scheme is shown: a URL may carry a password.
        shown = repr(scheme) if colon else "none"
        raise ValueError(f"store URL: scheme {shown} is not supported; use sqlite:///path/to/file.db")
    path = url.removeprefix(_PREFIX)
    if path == url or not path or path.endswith("/") or "?" in path or "\0" in path or path == ":memory:":
        raise ValueError(f"store URL {url!r} names no file; use sqlite:///path/to/file.db, without parameters")
    return SqliteStore(Path(path))
