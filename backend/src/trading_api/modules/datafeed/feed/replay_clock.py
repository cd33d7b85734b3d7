"""The clock of a replay: the same in every instance, and after a restart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, Engine, select

from trading_api.feed_settings import FeedSettings
from trading_api.modules.datafeed.bar_time import LATEST, to_ms
from trading_api.modules.datafeed.tables import replay_runs
from trading_api.shared.store.engine import reading, upsert, writing

_END_OF_TIME = to_ms(LATEST)


@dataclass(frozen=True, slots=True)
class ReplayClock:
    """Runs from `start` (ms UTC) since `anchor` (ms UTC of the wall clock), `speed` times as fast as that."""

    start: int
    anchor: int
    speed: Decimal

    def time(self, wall: int) -> int:
        """The replayed time, ms UTC: never before the start."""
        numerator, denominator = self.speed.as_integer_ratio()
        return min(self.start + max(0, wall - self.anchor) * numerator // denominator, _END_OF_TIME)


def run_key(settings: FeedSettings) -> str:
    """Names the replay of these settings; another seed is another replay of the same bars."""
    start = settings.start.astimezone(UTC).isoformat() if settings.start else ""
    facts = (settings.seed, sorted(settings.symbols), start, str(settings.speed.normalize()))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def find_clock(engine: Engine, settings: FeedSettings) -> ReplayClock | None:
    """The clock of the replay that has begun; None if it has not. Raises StoreError."""
    with reading(engine) as connection:
        return None if connection is None else _read(connection, settings)


def begin_clock(engine: Engine, settings: FeedSettings, *, start: int, now: int) -> ReplayClock:
    """Begin the replay at `start`, unless another instance was first: then its clock. Raises StoreError."""
    key = run_key(settings)
    with writing(engine) as connection:
        for name, instant in ((key, now), (_start_key(key), start)):
            row = upsert(connection, replay_runs).values(key=name, anchor_ms=instant)
            connection.execute(row.on_conflict_do_nothing())
        clock = _read(connection, settings)
    assert clock is not None, "written above"
    return clock


def _read(connection: Connection, settings: FeedSettings) -> ReplayClock | None:
    key = run_key(settings)
    query = select(replay_runs.c.key, replay_runs.c.anchor_ms).where(replay_runs.c.key.in_((key, _start_key(key))))
    found: dict[str, int] = {row.key: row.anchor_ms for row in connection.execute(query)}
    if len(found) < 2:
        return None
    return ReplayClock(start=found[_start_key(key)], anchor=found[key], speed=settings.speed)


def _start_key(key: str) -> str:
    # Kept too: without a configured start it is that of the bars that were there, and later imports may add older ones.
    return f"{key}:start"


def instant_text(time: int) -> str:
    """ms UTC for a log."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
