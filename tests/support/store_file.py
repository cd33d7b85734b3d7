"""SQLite stores that are there at once: copies of one that was migrated."""

import tempfile
from functools import cache
from pathlib import Path

from trading_api.shared.store.address import parse_store_url, store_urls
from trading_api.shared.store.migrations import migrate


def put_store(path: Path) -> None:
    """Put a migrated store without rows at `path`; its folder is made if it has to be."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(_migrated_file())
    path.chmod(0o600)


def put_stores(path: Path) -> None:
    """Put every file of a deployment's store, of which `path` is the one that its configuration names."""
    path.parent.parent.mkdir(mode=0o700, exist_ok=True)
    for url in store_urls(f"sqlite:///{path}"):
        put_store(Path(parse_store_url(url).place))


@cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()
