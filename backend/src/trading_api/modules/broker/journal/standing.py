"""What the store says of itself: which one it is, and who writes to it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select

from trading_api.modules.broker.tables import stores
from trading_api.shared.store.engine import upsert
from trading_api.shared.store.tables import leases

LEASE = "broker"
"""The name of the lease whose holder writes."""
_ONLY = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """`store_id`: the same for everybody who works on this store, and on copies of it. `epoch`: of the lease, 0 if

    nobody ever held it; `held`: whether it was not given back (its holder may be gone nevertheless).
    """

    store_id: str
    epoch: int
    held: bool


def standing_of(connection: Connection) -> Standing | None:
    """None for a store that has no id yet."""
    store_id = stored_id(connection)
    if store_id is None:
        return None
    lease = connection.execute(select(leases.c.epoch, leases.c.holder).where(leases.c.name == LEASE)).one_or_none()
    return Standing(store_id, lease.epoch, lease.holder is not None) if lease else Standing(store_id, 0, held=False)


def stored_id(connection: Connection) -> str | None:
    """None for a store that has no id yet."""
    return connection.execute(select(stores.c.store_id).where(stores.c.number == _ONLY)).scalar_one_or_none()


def give_id(connection: Connection) -> None:
    """In a transaction that writes: a random id, unless somebody was quicker."""
    row = upsert(connection, stores).values(number=_ONLY, store_id=secrets.token_hex(8))
    connection.execute(row.on_conflict_do_nothing())
