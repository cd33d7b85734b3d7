"""What the datafeed says of itself while something that it needs is away (D02)."""

import asyncio
import logging
from typing import Any, cast

import pytest

from trading_api.modules.datafeed.bars.bar_store import BarStore
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.store_watch import UNREADABLE, StoreWatch


class Store:
    """Fails as often as it is told."""

    def __init__(self, *fails: bool) -> None:
        self.fails = list(fails)

    def resolutions_of(self, _symbol: str) -> tuple[Resolution, ...]:
        if self.fails.pop(0):
            raise StoreError("/secret/path is locked")
        return ()


def test_D02_a_store_that_cannot_be_read_is_noticed_without_a_client_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = []

    async def main() -> None:
        over = asyncio.Event()
        store = Store(False, True, True, False)

        async def sleep(_seconds: float) -> None:
            seen.append(watch.problem)
            if not store.fails:
                over.set()
                await asyncio.Event().wait()

        watch = StoreWatch(cast("Any", store), sleep=sleep)
        watch.start()
        await over.wait()
        await watch.stop()

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
    assert seen == ["", UNREADABLE, UNREADABLE, ""]
    assert [record.levelname for record in caplog.records if "bar store" in record.message] == ["WARNING", "INFO"]


def test_D02_a_store_that_is_not_there_yet_is_no_problem(store: BarStore) -> None:
    async def main() -> None:
        looked = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            looked.set()
            await asyncio.Event().wait()

        watch = StoreWatch(store, sleep=sleep)
        watch.start()
        await looked.wait()
        assert watch.problem == ""
        await watch.stop()
        await watch.stop()

    asyncio.run(main())
