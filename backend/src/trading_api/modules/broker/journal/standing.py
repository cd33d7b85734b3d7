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

    nobody ever held it; `holder`: who took it and did not give it back (it may be gone nevertheless); `beat`: goes on
    while that one lives.
    """

    store_id: str
    epoch: int
    holder: str | None = None
    beat: int = 0

    @property
    def held(self) -> bool:
        return self.holder is not None


def standing_of(connection: Connection) -> Standing | None:
    """None for a store that has no id yet."""
    store_id = stored_id(connection)
    if store_id is None:
        return None
    query = select(leases.c.epoch, leases.c.holder, leases.c.beat).where(leases.c.name == LEASE)
    lease = connection.execute(query).one_or_none()
    return Standing(store_id, lease.epoch, lease.holder, lease.beat) if lease else Standing(store_id, 0)


def stored_id(connection: Connection) -> str | None:
    """None for a store that has no id yet."""
    return connection.execute(select(stores.c.store_id).where(stores.c.number == _ONLY)).scalar_one_or_none()


def give_id(connection: Connection) -> None:
    """In a transaction that writes: a random id, unless somebody was quicker."""
    row = upsert(connection, stores).values(number=_ONLY, store_id=secrets.token_hex(8))
    connection.execute(row.on_conflict_do_nothing())
