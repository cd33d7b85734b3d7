"""D04: a store knows which one it is, for everybody who works on it, and says who writes; in both databases."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from support.broker_journal import AccountScript, no_fence

from trading_api.modules.broker.journal.journal import Journal
from trading_api.modules.broker.journal.standing import LEASE, Standing
from trading_api.shared.lease import Lease, LeaseLost
from trading_api.shared.store.engine import open_engine, reading

pytestmark = pytest.mark.integration


def test_D04_everybody_who_works_on_a_store_reads_one_id_and_who_writes(store_url: str, engine: Engine) -> None:
    assert Journal(engine).standing() is None
    engines = [open_engine(store_url) for _ in range(8)]
    with ThreadPoolExecutor(len(engines)) as threads:
        ids = set(threads.map(lambda each: Journal(each).identify(), engines))
    for each in engines:
        each.dispose()
    (store_id,) = ids
    journal = Journal(engine)
    assert journal.standing() == Standing(store_id, 0)
    Lease(engine, "feed", holder="another").look()
    lease = Lease(engine, LEASE, holder="me")
    assert lease.look()
    assert journal.standing() == Standing(store_id, 1, "me")
    lease.beat()
    assert journal.standing() == Standing(store_id, 1, "me", beat=1)
    lease.release()
    assert journal.standing() == Standing(store_id, 1, beat=1)
    assert journal.identify() == store_id


def test_D04_a_copy_keeps_the_id_and_another_store_has_its_own(tmp_path: Path) -> None:
    def identify(name: str) -> str:
        engine = open_engine(f"sqlite:///{tmp_path}/{name}.db")
        script = AccountScript()
        script.place()
        if not (tmp_path / f"{name}.db").exists():
            Journal(engine).commit(script.batch(), no_fence)
        try:
            return Journal(engine).identify()
        finally:
            engine.dispose()

    first, other = identify("first"), identify("other")
    shutil.copy(tmp_path / "first.db", tmp_path / "copy.db")
    assert (identify("copy"), first == other) == (first, False)


def test_D03_a_trial_writes_to_every_table_and_leaves_nothing(engine: Engine) -> None:
    journal, script = Journal(engine), AccountScript()
    script.place()
    journal.commit(script.batch(), no_fence)
    tables = ("accounts", "orders", "positions", "events", "commands")
    counts = [f"SELECT count(*) FROM broker_{table}" for table in tables]

    def rows() -> list[int]:
        with reading(engine) as connection:
            assert connection is not None
            return [connection.exec_driver_sql(count).scalar_one() for count in counts]

    before = rows()
    journal.trial(no_fence)
    assert rows() == before

    def lost(_connection: Connection) -> None:
        raise LeaseLost("taken")

    with pytest.raises(LeaseLost):
        journal.trial(lost)
