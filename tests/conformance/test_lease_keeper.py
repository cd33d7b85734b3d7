"""The keeper in an event loop: what it tells, and what it does when the store does not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support.store_urls import KINDS, migrated_store

from trading_api.shared.lease import Lease, LeaseLost
from trading_api.shared.lease_keeper import LeaseKeeper, holder_name
from trading_api.shared.store import postgres_engine, sqlite
from trading_api.shared.store.engine import open_engine, writing
from trading_api.shared.store.errors import StoreError

pytestmark = pytest.mark.integration

TTL = 0.6


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Its connections wait 0.2 s for a lock, so that a locked store is soon an error."""
    monkeypatch.setattr(sqlite.connect, "__kwdefaults__", {"busy_seconds": 0.2})
    monkeypatch.setattr(postgres_engine, "LOCK_MS", 200)
    with migrated_store(request.param, tmp_path) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


class Told:
    """A keeper, and the epochs it told."""

    def __init__(self, engine: Engine, holder: str, *, look_every: float = 0.05) -> None:
        self.keeper = LeaseKeeper(Lease(engine, "quotes", holder=holder, ttl=TTL), look_every=look_every)
        self.epochs: list[int | None] = []
        self.keeper.on_change(self.epochs.append)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await test()

    asyncio.run(whole())


@contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """Nobody can write to the leases meanwhile."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE leases IN EXCLUSIVE MODE")
        yield


def test_D04_a_keeper_tells_what_it_gets_and_gives_back(engine: Engine) -> None:
    async def test() -> None:
        first, second = Told(engine, "first"), Told(engine, "second")
        first.keeper.start()
        await until(lambda: first.keeper.held)
        second.keeper.start()
        await first.keeper.release()
        await until(lambda: second.keeper.held)
        assert (first.epochs, second.epochs) == ([1, None], [2])
        with pytest.raises(LeaseLost), writing(engine) as connection:
            first.keeper.fence(connection)
        await second.keeper.release()

    run(test)


def test_D04_a_keeper_keeps_it_for_longer_than_the_ttl(engine: Engine) -> None:
    async def test() -> None:
        first, second = Told(engine, "first"), Told(engine, "second")
        first.keeper.start()
        await until(lambda: first.keeper.held)
        second.keeper.start()
        end = asyncio.get_running_loop().time() + 4 * TTL
        await until(lambda: asyncio.get_running_loop().time() > end)
        assert (first.epochs, second.epochs) == ([1], [])
        await second.keeper.release()
        await first.keeper.release()

    run(test)


def test_D04_a_hint_makes_a_keeper_look_at_once(engine: Engine) -> None:
    async def test() -> None:
        first, second = Told(engine, "first"), Told(engine, "second", look_every=3600)
        first.keeper.start()
        await until(lambda: first.keeper.held)
        second.keeper.start()
        await first.keeper.release()
        second.keeper.wake()
        await until(lambda: second.keeper.held)
        assert second.epochs == [2]
        await second.keeper.release()

    run(test)


def test_D04_a_holder_whose_store_is_locked_stops_and_goes_on(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        first = Told(engine, "first")
        first.keeper.start()
        await until(lambda: first.keeper.held)
        with locked(engine):
            await until(lambda: first.epochs == [1, None])
            assert (first.keeper.held, first.keeper.epoch) == (False, None)
            await until(lambda: "another process is writing to it" in caplog.text)
        # It holds the lease a moment before its listener is told.
        await until(lambda: first.epochs == [1, None, 1])
        await first.keeper.release()

    run(test)
    complaints = [record for record in caplog.records if "another process" in record.message]
    assert len(complaints) == 1, "one problem is told once"


def test_D04_two_never_hold_it_while_the_store_is_locked_now_and_then(engine: Engine) -> None:
    async def test() -> None:
        pair = [Told(engine, "first"), Told(engine, "second")]
        for told in pair:
            told.keeper.start()
        for _ in range(3):
            await until(lambda: any(told.keeper.held for told in pair))
            with locked(engine):
                await until(lambda: not any(told.keeper.held for told in pair))
            assert sum(told.keeper.held for told in pair) <= 1
        epochs = [epoch for told in pair for epoch in set(told.epochs) - {None}]
        assert len(epochs) == len(set(epochs)), "two held the same epoch"
        for told in pair:
            await told.keeper.release()

    run(test)


def test_D04_a_release_that_cannot_be_written_says_so(engine: Engine) -> None:
    async def test() -> None:
        first = Told(engine, "first")
        first.keeper.start()
        await until(lambda: first.keeper.held)
        with locked(engine), pytest.raises(StoreError, match="another process is writing"):
            await first.keeper.release()
        assert first.epochs == [1, None]
        assert not first.keeper.held

    run(test)


def test_D04_a_keeper_that_never_got_it_ends_quietly(engine: Engine) -> None:
    async def test() -> None:
        idle = Told(engine, "idle")
        await idle.keeper.release()
        assert idle.epochs == []

    run(test)


def test_D04_a_callback_that_fails_is_not_unseen(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        told = Told(engine, "first")
        told.keeper.on_change(fail)
        told.keeper.start()
        await until(lambda: "stopped by an error" in caplog.text)
        # It is given back all the same.
        await told.keeper.release()
        other = Told(engine, "other")
        other.keeper.start()
        await until(lambda: other.keeper.held)
        await other.keeper.release()

    run(test)
    assert "ZeroDivisionError" in caplog.text


def fail(epoch: int | None) -> None:
    if epoch:
        raise ZeroDivisionError


def test_D04_holders_are_told_apart() -> None:
    assert len({holder_name() for _ in range(100)}) == 100
