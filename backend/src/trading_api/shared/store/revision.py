"""Which revision of the schema a store is at, and what that means. Imports no database library."""

from __future__ import annotations

from enum import Enum

from trading_api.shared.store.errors import StoreError

HEAD = "0003"
"""The revision that this program reads and writes: the newest in `trading_api/migrations/versions`."""
FIRST = "0001"
VERSION_TABLE = "alembic_version"


class Standing(Enum):
    """How a store's schema relates to this program."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"


def standing(revision: str | None, place: str) -> Standing:
    """What `revision` (None: no table there yet) means. Raises StoreError for one that this program does not know."""
    if revision is None:
        return Standing.EMPTY
    if revision == HEAD:
        return Standing.CURRENT
    if revision.isdecimal() and FIRST <= revision < HEAD:
        return Standing.OLDER
    raise StoreError(
        f"{place}: schema version {revision} is newer than {HEAD}, the newest known; upgrade the program, "
        "or use another store"
    )


def need_current(revision: str | None, place: str) -> bool:
    """False for an empty store. Raises StoreError for any other revision than HEAD, with the command to run."""
    match standing(revision, place):
        case Standing.EMPTY:
            return False
        case Standing.OLDER:
            raise StoreError(
                f"{place}: schema version {revision} is older than {HEAD}, which this program needs; "
                "run: python -m trading_api migrate"
            )
        case _:
            return True
