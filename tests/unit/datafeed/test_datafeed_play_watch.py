"""A replay that waits for bars: what it says meanwhile, and that it begins by itself (D02)."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
from support.datafeed_bars import NEW_YORK, at, bar, put

from trading_api.feed_settings import FeedSettings
from trading_api.modules.datafeed.bars.bar_store import BarStore
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.play_watch import PlayWatch, nothing_to_play
from trading_api.modules.datafeed.feed.replay import ReplayFeed
from trading_api.modules.datafeed.resolution import Resolution

OPEN = at("2024-01-03T14:30")
MISSING = "nothing to play"


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, logger="trading_api"):
        yield


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    assert not any(record.exc_info for record in caplog.records)
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def watched(*looks: str | StoreError | None) -> list[str]:
    """What the problem is before each look but the first, and at the end."""
    seen, left = [], list(looks)

    def look() -> str | None:
        found = left.pop(0)
        if isinstance(found, StoreError):
            raise found
        return found

    async def main() -> None:
        over = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            seen.append(watch.problem)
            if not left:
                over.set()
                await asyncio.Event().wait()

        watch = PlayWatch(look, MISSING, sleep)
        await watch.start()
        if watch._task is not None:
            await asyncio.wait([watch._task, asyncio.create_task(over.wait())], return_when=asyncio.FIRST_COMPLETED)
        seen.append(watch.problem)
        await watch.stop()

    asyncio.run(main())
    return seen


def test_D02_waiting_is_said_once_and_playing_once(caplog: pytest.LogCaptureFixture) -> None:
    assert watched(None, None, None, "is at noon") == [MISSING, MISSING, MISSING, ""]
    assert said(caplog) == [("WARNING", MISSING), ("INFO", "the replay is at noon")]


def test_D02_what_plays_at_once_is_not_watched(caplog: pytest.LogCaptureFixture) -> None:
    assert watched("is at noon") == [""]
    assert said(caplog) == [("INFO", "the replay is at noon")]


def test_D02_a_store_that_fails_leaves_the_question_open(caplog: pytest.LogCaptureFixture) -> None:
    locked = StoreError("locked")
    assert watched(locked, locked, None, locked, "is at noon") == ["", "", MISSING, MISSING, ""]
    begins = ("WARNING", "the replay begins when the store can be read: locked")
    assert said(caplog) == [begins, ("WARNING", MISSING), begins, ("INFO", "the replay is at noon")]


def test_D02_many_chosen_symbols_are_not_all_named() -> None:
    assert nothing_to_play([f"S{n}" for n in range(200)]).startswith(
        "The replay has no bars of S0, S1, S2, S3, S4, … to"
    )


@pytest.mark.parametrize(
    ("symbols", "start"), [((), None), (("ABC",), None), (("ABC", "NOPE"), "2024-01-03T14:30:00Z")]
)
def test_D02_a_replay_begins_with_the_first_import(
    store: BarStore, caplog: pytest.LogCaptureFixture, symbols: tuple[str, ...], start: str | None
) -> None:
    settings = FeedSettings(kind="replay", symbols=symbols, start=datetime.fromisoformat(start) if start else None)

    async def main() -> None:
        feed = ReplayFeed(store.engine, store, settings, {"ABC": NEW_YORK}.get)
        looked = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            await looked.wait()

        feed._watch._sleep = sleep
        await feed.start(lambda: None)
        assert feed.problem == nothing_to_play(symbols)
        await asyncio.to_thread(put, store, Resolution.MINUTE_1, [bar(OPEN)], NEW_YORK)
        looked.set()
        async with asyncio.timeout(60):
            while feed.problem:
                await asyncio.sleep(0.001)
        assert feed.moment(10**15) > OPEN
        await feed.stop()

    asyncio.run(main())
    idle = "feed.replay.symbols: nothing to play of NOPE: no such symbol, or no bars of it are stored yet"
    (_, waits), *others, (level, plays) = said(caplog)
    assert waits == nothing_to_play(symbols)
    assert others == ([("WARNING", idle)] if "NOPE" in symbols else [])
    assert (level, plays) == ("INFO", "the replay is at 2024-01-03 14:30:00Z, 1 times as fast as the clock")
