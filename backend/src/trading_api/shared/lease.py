"""The right to do what must happen once: a row that its holder keeps alive, and whose epoch fences its writes.

No clock is written down. The holder raises a counter, the `beat`; a contender that has itself watched the same counter
for a while takes over. So the clocks of machines may differ, and step, without any effect.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, Select, and_, select, update

from trading_api.shared.store.engine import after_commit, reading, upsert, writing
from trading_api.shared.store.tables import leases

DEFAULT_TTL_S = 1.5
_LOOK_GAP_SHARE = 0.5
"""A contender that did not look for this share of the ttl was itself away; its watch starts again."""
_STALL_SHARE = 0.25
"""So does the watch of one that waited this share of the ttl to write: the holder had to wait as well."""


class LeaseLost(Exception):
    """Another one holds the lease, or nobody does; what this transaction wrote must not be committed."""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """What stands in the store. `holder` None: given back."""

    epoch: int
    holder: str | None
    beat: int


@dataclass(frozen=True, slots=True)
class _Watch:
    """A row that a contender saw, from `since` to `until` on the monotonic clock, without a change."""

    row: LeaseRow
    since: float
    until: float


class Lease:
    """One contender for the lease `name`. Each method does one thing, blocks on the store, and raises StoreError.

    `holder`: who this is, for people to read; `ttl`: seconds without a beat after which others take over. One thread
    at a time, but `fence`, `epoch` and `held` are for any thread.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        holder: str,
        ttl: float = DEFAULT_TTL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.holder = holder
        self.ttl = ttl
        self._engine = engine
        self._clock = clock
        self._epoch: int | None = None
        self._sure_until = 0.0
        self._watch: _Watch | None = None

    @property
    def epoch(self) -> int | None:
        """The number of this holding, which never comes again; None while this one holds nothing that it knows of."""
        return self._epoch

    @property
    def held(self) -> bool:
        """Whether nobody else can hold it now.

        False also for a holder that could not beat in time: it may own the lease still, which `fence` knows, but
        others may be about to take it.
        """
        return self._epoch is not None and self._clock() < self._sure_until

    @property
    def sure_for(self) -> float:
        """Seconds for which `held` stays true without another beat; 0 if it is not held."""
        return max(0.0, self._sure_until - self._clock()) if self._epoch is not None else 0.0

    def look(self) -> bool:
        """Take the lease if it is free, or was not kept alive for `ttl` while this one watched. True: it is ours."""
        now = self._clock()
        row = self._read()
        if row is None or row.holder is None or self._is_stale(row, now):
            return self._take(row)
        return False

    def beat(self) -> bool:
        """Keep the lease alive. False: it was taken, and this one is a contender again."""
        epoch, before = self._epoch, self._clock()
        if epoch is None:
            return False
        with writing(self._engine) as connection:
            is_ours = self._raise_beat(connection, epoch)
        if not is_ours:
            self._epoch = None
            return False
        self._kept(epoch, before)
        return True

    def release(self) -> None:
        """Give it back: the next look of another one takes it. Does nothing if it is not ours (any more)."""
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return
        with writing(self._engine) as connection:
            connection.execute(update(leases).where(self._ours(epoch)).values(holder=None))

    def fence(self, connection: Connection) -> None:
        """In a transaction of `writing`, before it writes: raise LeaseLost unless the lease is ours until its end.

        SQLite has one writer at a time, so nobody takes over meanwhile; it keeps no queue, so one that writes without
        a pause would keep the beats out: there the transaction is itself a beat. PostgreSQL keeps takeovers (not beats)
        waiting for the transaction, and ends one whose process does nothing for `ttl`.
        """
        epoch = self._epoch
        if epoch is None:
            raise LeaseLost(f"the lease {self.name!r} is not held by {self.holder}")
        is_ours = self._share if connection.dialect.name == "postgresql" else self._beat_within
        if not is_ours(connection, epoch):
            raise LeaseLost(f"the lease {self.name!r} was taken from {self.holder} (epoch {epoch})")

    def _share(self, connection: Connection, epoch: int) -> bool:
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {max(1, int(self.ttl * 1000))}")
        query = select(leases.c.epoch).where(self._ours(epoch)).with_for_update(read=True, key_share=True)
        return connection.execute(query).one_or_none() is not None

    def _beat_within(self, connection: Connection, epoch: int) -> bool:
        before = self._clock()
        after_commit(connection, partial(self._kept, epoch, before))
        return self._raise_beat(connection, epoch)

    def _raise_beat(self, connection: Connection, epoch: int) -> bool:
        done = connection.execute(update(leases).where(self._ours(epoch)).values(beat=leases.c.beat + 1))
        return done.rowcount == 1

    def _kept(self, epoch: int, before: float) -> None:
        """A beat is stored that began at `before`: others count from then on at the earliest."""
        if epoch == self._epoch:
            self._sure_until = max(self._sure_until, before + self.ttl)

    def _ours(self, epoch: int) -> ColumnElement[bool]:
        return and_(leases.c.name == self.name, leases.c.epoch == epoch, leases.c.holder.is_not(None))

    def _query(self) -> Select[tuple[int, str | None, int]]:
        return select(leases.c.epoch, leases.c.holder, leases.c.beat).where(leases.c.name == self.name)

    def _read(self) -> LeaseRow | None:
        with reading(self._engine) as connection:
            return _row_of(connection.execute(self._query())) if connection else None

    def _is_stale(self, row: LeaseRow, now: float) -> bool:
        """Whether this one watched `row` unchanged for `ttl`; `now` is from before it was read."""
        watch, read_at = self._watch, self._clock()
        if watch is None or watch.row != row or now - watch.until > self.ttl * _LOOK_GAP_SHARE:
            self._watch = _Watch(row, since=read_at, until=read_at)
            return False
        self._watch = replace(watch, until=read_at)
        return now - watch.since >= self.ttl

    def _take(self, seen: LeaseRow | None) -> bool:
        """Swap what was seen for a row of our own, unless somebody was quicker, or the store kept everybody waiting."""
        self._watch = None
        before, epoch = self._clock(), seen.epoch + 1 if seen else 1
        with writing(self._engine) as connection:
            if seen and seen.holder is not None and self._clock() - before > self.ttl * _STALL_SHARE:
                return False
            taken = self._swap(connection, seen, epoch) if seen else self._insert(connection, epoch)
        if taken:
            self._epoch, self._sure_until = epoch, before + self.ttl
        return taken

    def _swap(self, connection: Connection, seen: LeaseRow, epoch: int) -> bool:
        # PostgreSQL: this lock, unlike that of a mere update, waits for fenced transactions that are under way.
        if _row_of(connection.execute(self._query().with_for_update())) != seen:
            return False
        connection.execute(
            update(leases).where(leases.c.name == self.name).values(epoch=epoch, holder=self.holder, beat=0)
        )
        return True

    def _insert(self, connection: Connection, epoch: int) -> bool:
        row = upsert(connection, leases).values(name=self.name, epoch=epoch, holder=self.holder, beat=0)
        return connection.execute(row.on_conflict_do_nothing().returning(leases.c.epoch)).one_or_none() is not None


def _row_of(result: CursorResult[tuple[int, str | None, int]]) -> LeaseRow | None:
    found = result.one_or_none()
    return LeaseRow(found.epoch, found.holder, found.beat) if found else None
