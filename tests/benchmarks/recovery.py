"""A broker that starts with a long log: reading what lives, beside replaying the whole log, which gives the same."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from benchmarks.result import Result
from support.project import Project

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.events import Event, OrderEvent
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.journal.batch import Batch
from trading_api.modules.broker.journal.journal import Journal
from trading_api.shared.store.address import orders_url
from trading_api.shared.store.engine import open_engine

_EVENTS, _BATCH, _LIVE = 1_000_000, 10_000, 1000
_ACCOUNT = "DEMO-ACCOUNT"


def run(project: Project, runs: int) -> Iterator[Result]:
    """Seconds until the accounts are in memory, and what replaying the log takes."""
    engine = open_engine(orders_url(f"sqlite:///{project.folder / 'trading.db'}"))
    try:
        journal = Journal(engine)
        print(f"recovery: writing {_EVENTS:,} events", file=sys.stderr, flush=True)
        _write(journal)
        loads = tuple(_load(journal) for _ in range(runs))
        start = time.perf_counter()
        assert journal.verify(_ACCOUNT) == []
        replayed = time.perf_counter() - start
    finally:
        engine.dispose()
    note = f"{_EVENTS:,} events, {_LIVE:,} live orders"
    yield Result("recovery of a broker", tuple(load * 1000 for load in loads), "ms", limit=500, note=note)
    yield Result("replaying the same log", (replayed * 1000,), "ms", note="and comparing it with the rows")


def _load(journal: Journal) -> float:
    start = time.perf_counter()
    (state,) = journal.load()
    took = time.perf_counter() - start
    assert (state.seq, len(state.orders)) == (_EVENTS, _LIVE)
    return took


def _write(journal: Journal) -> None:
    """Orders that were placed and canceled, and at the end some that live."""
    events = list[Event]()
    for event in _events():
        events.append(event)
        if len(events) == _BATCH:
            journal.commit(Batch(events=tuple(events), answers=()), lambda _: None)
            events.clear()
    assert not events


def _events() -> Iterator[Event]:
    seq = 0
    for number in range(1, (_EVENTS - _LIVE) // 2 + _LIVE + 1):
        order = Order(
            str(number),
            "BTCUSD",
            OrderType.LIMIT,
            Side.BUY,
            Decimal("0.0001"),
            OrderStatus.WORKING,
            limit_price=Decimal(number % 1000 + 1),
        )
        seq += 1
        yield OrderEvent(_ACCOUNT, seq, seq, order)
        if number <= (_EVENTS - _LIVE) // 2:
            seq += 1
            yield OrderEvent(_ACCOUNT, seq, seq, replace(order, status=OrderStatus.CANCELED))
