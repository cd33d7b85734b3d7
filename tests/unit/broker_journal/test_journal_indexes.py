"""D04: every read of the journal is answered by an index, however long the log is, and a commit is a few statements."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event
from support.broker_journal import AccountScript, answer, no_fence
from support.store_urls import migrated_store

from trading_api.modules.broker.domain.events import ExecutionEvent, OrderEvent
from trading_api.modules.broker.journal.batch import Batch
from trading_api.modules.broker.journal.journal import Journal
from trading_api.shared.store.driver import sqlite_driver
from trading_api.shared.store.engine import open_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with migrated_store("sqlite", tmp_path) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


class Watch:
    """The statements of an engine, and how SQLite goes about those that read."""

    def __init__(self, engine: Engine) -> None:
        self.statements: list[str] = []
        self.plans: list[str] = []
        event.listen(engine, "before_cursor_execute", self._seen)

    def _seen(
        self, connection: Connection, _: object, statement: str, parameters: tuple[object, ...], *__: object
    ) -> None:
        self.statements.append(statement)
        if statement.startswith("SELECT"):
            rows = sqlite_driver(connection).execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            self.plans += [str(row[3]) for row in rows]


def test_D04_every_read_of_an_account_is_by_index(engine: Engine) -> None:
    journal, watch = Journal(engine), Watch(engine)
    journal.leverages("A")
    journal.orders("A", 5)
    journal.positions("A")
    journal.executions("A", "AAPL")
    journal.events_after("A", 5, None, 10)
    journal.events_after("A", 5, [OrderEvent], 10)
    journal.events_after("A", 5, [OrderEvent, ExecutionEvent], 10)
    journal.last_seqs(["A", "B"])
    journal.answers([("A", "1"), ("B", "2")])
    journal.commit(Batch(answers=(answer("1"),)), no_fence)
    plans = "\n".join(watch.plans)
    # The numbers that are wanted of several kinds are a few: they, and nothing else, may be gone through or sorted.
    odd = [plan for plan in watch.plans if ("SCAN" in plan or "TEMP B-TREE" in plan) and not _of_numbers(plan)]
    assert odd == [], plans
    assert "ix_broker_events_executions" in plans
    assert "ix_broker_events_account_id_kind_seq (account_id=? AND kind=? AND seq>?)" in plans
    assert "ix_broker_orders_listing (live=? AND account_id=? AND reset_seq=? AND updated_ms>?)" in plans


def _of_numbers(plan: str) -> bool:
    return any(word in plan for word in ("anon_", "SUBQUERY", "CONSTANT ROW", "UNION"))


def test_D04_a_restart_reads_no_log_and_no_final_order(engine: Engine) -> None:
    watch = Watch(engine)
    Journal(engine).load()
    assert not any("broker_events" in statement for statement in watch.statements)
    assert any("broker_orders USING INDEX ix_broker_orders_listing (live=?)" in plan for plan in watch.plans)


def test_D04_a_batch_is_a_few_statements_whatever_its_size(engine: Engine) -> None:
    journal, watch, counts = Journal(engine), Watch(engine), []
    for size in (1, 40):
        scripts = [AccountScript(f"{size} {number}") for number in range(size)]
        for script in scripts:
            script.fill(script.place())
        events = tuple(event for script in scripts for event in script.pending)
        watch.statements.clear()
        journal.commit(Batch(events, (answer(str(size)),)), no_fence)
        counts.append(len(watch.statements))
    assert counts[0] >= counts[1]
    assert max(counts) <= 9
