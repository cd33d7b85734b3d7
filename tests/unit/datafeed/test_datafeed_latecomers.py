"""Symbols without quotes when a stream begins, that get some later: their streams need no new subscription (D02)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from support.datafeed_bars import at, bar, put
from support.datafeed_bench import AAPL, BTC, CATALOGUE, NOW, SECOND, Bench, Recorder, quotes, run

from trading_api.feed_settings import FeedSettings
from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.replay import ReplayFeed
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_commands import main as run_instruments
from trading_api.modules.datafeed.resolution import Resolution

MINUTE = 60_000
OPEN = at("2024-01-03T14:30")
"""A Wednesday, New York."""
Test = Callable[[Bench], Awaitable[None]]


def states(topic: Recorder) -> list[tuple[str, str]]:
    """What was told since the last call: which symbol, and whether it has a quote."""
    return [(symbol, data.s) for symbol, data in topic.take()]


def replayed(store: BarStore, test: Test) -> None:
    """On a replay of AAPL that has nothing to play yet."""

    async def main() -> None:
        settings = FeedSettings(kind="replay", symbols=("AAPL",), start=datetime.fromisoformat("2024-01-03T14:30:00Z"))
        bench = Bench(store, ReplayFeed(store.engine, store, settings, CATALOGUE.get))
        await test(bench)
        await bench.service.shutdown()

    asyncio.run(main())


def test_D02_a_stream_of_a_waiting_replay_goes_on_when_it_plays(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(quotes("AAPL", "NOPE", slow=("NASDAQ:aapl",)))
        assert states(topic) == [("AAPL", "error"), ("NOPE", "error"), ("NASDAQ:aapl", "error")]
        await bench.at(NOW + 3 * SECOND)
        assert states(topic) == []
        put(store, Resolution.MINUTE_1, [bar(OPEN + minute * MINUTE, 100 + minute) for minute in range(9)], AAPL)
        await bench.at(NOW + 6 * SECOND)
        assert sorted(states(topic)) == [("AAPL", "ok"), ("NASDAQ:aapl", "ok")]
        await bench.at(NOW + 36 * SECOND)
        assert states(topic) == [("AAPL", "ok")], "the slow one a minute later"
        later = await bench.subscribe(quotes("AAPL"), "later")
        assert states(later) == [("AAPL", "ok")]
        await bench.unsubscribe(topic)
        await bench.unsubscribe(later)

    replayed(store, test)


def test_D02_a_stream_of_a_symbol_that_is_imported_later_gets_its_quotes(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'trading.db'}", tmp_path / "mine.csv"
    file.write_text(
        "name,exchange,type,description,session,timezone,pricescale,minmov,volume_precision\n"
        "ZZZ,X,crypto,Zed,24x7,Etc/UTC,100,1,0\n"
    )

    async def test(bench: Bench) -> None:
        topic = await bench.subscribe(quotes("X:zzz", "BTCUSD"))
        assert states(topic) == [("X:zzz", "error"), ("BTCUSD", "ok")]
        assert await asyncio.to_thread(run_instruments, ["import", str(file), "--store", url]) == 0
        await bench.at(NOW + 3 * SECOND)
        assert dict(states(topic))["X:zzz"] == "ok"
        await bench.unsubscribe(topic)

    with closing(open_store(url)) as store:
        run(store, test)


class Finder:
    """Counts the looks; fails with `error`, else tells BTC by the name LATE."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.error: Exception | None = None

    def __call__(self, symbols: Collection[str]) -> Mapping[str, Instrument]:
        self.asked.append(set(symbols))
        if self.error is not None:
            raise self.error
        return {symbol: BTC for symbol in symbols if symbol == "LATE"}


def test_D02_what_is_missing_is_looked_for_every_other_second_and_else_nothing(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        bench.feed._find = finder = Finder()
        complete = await bench.subscribe(quotes("BTCUSD"), "complete")
        for second in range(5):
            await bench.at(NOW + second * SECOND)
        assert finder.asked == []
        topics = [await bench.subscribe(quotes("NOPE", "NEVER"), "one"), await bench.subscribe(quotes("NOPE"), "two")]
        for second in range(10, 20):
            await bench.at(NOW + second * SECOND)
        assert 3 <= len(finder.asked) <= 5
        assert all(asked == {"NOPE", "NEVER"} for asked in finder.asked)
        await bench.at(NOW)
        count = len(finder.asked)
        await bench.at(NOW - 3600 * SECOND)
        assert len(finder.asked) == count + 1, "a clock that was set back by much does not put it off"
        for topic in (complete, *topics):
            await bench.unsubscribe(topic)

    run(store, test)


@pytest.mark.parametrize(("error", "level"), [(StoreError("locked"), "DEBUG"), (RuntimeError("broken"), "ERROR")])
def test_D02_a_look_that_fails_ends_nothing_and_the_next_one_finds(
    store: BarStore, caplog: pytest.LogCaptureFixture, error: Exception, level: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="trading_api.modules.datafeed")

    async def test(bench: Bench) -> None:
        bench.feed._find = finder = Finder()
        finder.error = error
        topic = await bench.subscribe(quotes("LATE", "BTCUSD"))
        assert states(topic) == [("LATE", "error"), ("BTCUSD", "ok")]
        await bench.at(NOW + 3 * SECOND)
        assert dict(states(topic)) == {"BTCUSD": "ok"}
        assert [each.levelname for each in caplog.records if "looked up" in each.message] == [level]
        finder.error = None
        await bench.at(NOW + 6 * SECOND)
        assert dict(states(topic)) == {"BTCUSD": "ok", "LATE": "ok"}
        assert bench.feed.problem == ""
        await bench.unsubscribe(topic)

    run(store, test)


def test_D02_a_stream_that_ended_during_the_look_wants_nothing(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        other = await bench.subscribe(quotes("AAPL"), "other")
        topic = await bench.subscribe(quotes("LATE"))
        loop = asyncio.get_running_loop()

        def find(_symbols: Collection[str]) -> Mapping[str, Instrument]:
            asyncio.run_coroutine_threadsafe(bench.unsubscribe(topic), loop).result(60)
            return {"LATE": BTC}

        bench.feed._find = find
        topic.take()
        await bench.at(NOW + 3 * SECOND)
        assert topic.take() == []
        assert set(bench.feed._wanted) == {AAPL}
        await bench.unsubscribe(other)

    run(store, test)
