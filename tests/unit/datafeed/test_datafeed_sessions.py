"""The trading session of a symbol, by its calendar and the feed's clock."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.datafeed_bars import bar, put
from support.feed_beds import CATALOGUE, feed_bed, ms

from trading_api.app_factory import create_app
from trading_api.feed_settings import FeedSettings
from trading_api.models.market import TradingSession
from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.feed.live import LiveFeed
from trading_api.modules.datafeed.feed.replay import ReplayFeed
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.feed.simulator import Simulator
from trading_api.modules.datafeed.instruments.directory import open_directory
from trading_api.modules.datafeed.instruments.instrument_commands import main as run_instruments
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.trading_session import ClockError, feed_time, trading_session
from trading_api.modules.datafeed.unknown_symbol import not_found_text
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared import problems
from trading_api.shared.refusal_log import RefusalLog

SIMULATOR = Simulator()


def session(name: str, now: int) -> TradingSession:
    return trading_session(LiveFeed(SIMULATOR, clock=lambda: now), CATALOGUE[name])


@pytest.mark.parametrize(
    ("name", "now", "is_open", "start", "end"),
    [
        # New York: 9:30 to 16:00.
        ("AAPL", "2024-01-03T15:00:00", True, "2024-01-03T14:30:00", "2024-01-03T21:00:00"),
        ("AAPL", "2024-01-03T14:30:00", True, "2024-01-03T14:30:00", "2024-01-03T21:00:00"),
        ("AAPL", "2024-01-03T14:29:59", False, "2024-01-03T14:30:00", "2024-01-03T21:00:00"),
        ("AAPL", "2024-01-03T21:00:00", False, "2024-01-04T14:30:00", "2024-01-04T21:00:00"),
        # Over a weekend, and over one on which the clocks change.
        ("AAPL", "2024-01-06T12:00:00", False, "2024-01-08T14:30:00", "2024-01-08T21:00:00"),
        ("AAPL", "2024-03-08T22:00:00", False, "2024-03-11T13:30:00", "2024-03-11T20:00:00"),
        # The half day before Independence Day, the holiday, and Thanksgiving's week.
        ("AAPL", "2024-07-03T16:59:59", True, "2024-07-03T13:30:00", "2024-07-03T17:00:00"),
        ("AAPL", "2024-07-03T17:00:00", False, "2024-07-05T13:30:00", "2024-07-05T20:00:00"),
        ("AAPL", "2024-11-28T15:00:00", False, "2024-11-29T14:30:00", "2024-11-29T18:00:00"),
        # Always open: the trading day.
        ("BTCUSD", "2024-01-06T23:59:59", True, "2024-01-06T00:00:00", "2024-01-07T00:00:00"),
        ("BTCUSD", "2024-01-07T00:00:00", True, "2024-01-07T00:00:00", "2024-01-08T00:00:00"),
        # Overnight in Chicago and New York: the session of Monday opens on Sunday.
        ("ES", "2024-01-07T22:59:59", False, "2024-01-07T23:00:00", "2024-01-08T22:00:00"),
        ("ES", "2024-01-07T23:00:00", True, "2024-01-07T23:00:00", "2024-01-08T22:00:00"),
        ("EURUSD", "2024-01-05T22:00:00", False, "2024-01-07T22:00:00", "2024-01-08T22:00:00"),
    ],
)
def test_D03_the_session_follows_the_calendar(name: str, now: str, is_open: bool, start: str, end: str) -> None:
    found = session(name, ms(now))
    assert found == TradingSession(symbol=name, isOpen=is_open, start=ms(start), end=ms(end), time=ms(now))


@given(st.sampled_from(sorted(CATALOGUE)), st.integers(ms("2000-01-01T00:00:00"), ms("2030-01-01T00:00:00")))
def test_D03_a_session_is_open_or_the_very_next(name: str, now: int) -> None:
    found = session(name, now)
    assert now < found.end
    assert found.isOpen == (found.start <= now)
    schedule = Schedule.of(CATALOGUE[name])
    assert schedule.before(schedule.latest(found.start)).end <= max(now, found.start), "there is none in between"
    if not found.isOpen:
        assert schedule.latest(now).end <= now


def test_D03_a_replay_tells_its_own_time(tmp_path: Path) -> None:
    wall = 1_900_000_000_000
    with closing(open_store(f"sqlite:///{tmp_path / 'trading.db'}")) as store:
        start = datetime(2024, 3, 8, 15, tzinfo=UTC)
        put(store, Resolution.DAY, [bar(ms("2024-03-08T00:00:00"))], CATALOGUE["AAPL"])
        source = ReplayFeed(
            store.engine, store, FeedSettings(kind="replay", start=start, speed=Decimal(60)), CATALOGUE.get
        )
        trading_session(LiveFeed(source, clock=lambda: wall), CATALOGUE["AAPL"])
        found = trading_session(LiveFeed(source, clock=lambda: wall + 60_000), CATALOGUE["AAPL"])
        source.close()
    assert found.time == ms("2024-03-08T16:00:00")
    assert (found.isOpen, found.start) == (True, ms("2024-03-08T14:30:00"))


def test_D03_a_pushed_feed_is_of_today_whenever_its_quotes_were(tmp_path: Path) -> None:
    with feed_bed("manual", tmp_path) as bed:
        assert feed_time(LiveFeed(bed.source, clock=lambda: 4711)) == 4711


def test_D03_a_replay_without_bars_has_no_time_yet(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'trading.db'}")) as store:
        source = ReplayFeed(store.engine, store, FeedSettings(kind="replay"), CATALOGUE.get)
        with pytest.raises(ClockError):
            feed_time(LiveFeed(source))
        source.close()


def ask(folder: Path, test: Callable[[httpx.AsyncClient], Any], **feed: Any) -> None:
    settings = Settings(
        enabled_modules=(ModuleChoice("datafeed"),),
        store_url=f"sqlite:///{folder / 'trading.db'}",
        feed=FeedSettings(**feed),
        debug_routes=True,
    )

    async def main() -> None:
        app = create_app(settings)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test/api/v1/datafeed") as client,
        ):
            await test(client)

    asyncio.run(main())


def test_D03_a_session_tells_whether_any_instrument_has_changed_alike_in_every_instance(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'trading.db'}", tmp_path / "mine.csv"
    head = "name,exchange,type,description,session,timezone,pricescale,minmov,volume_precision\n"

    async def test(client: httpx.AsyncClient) -> None:
        async def told() -> str:
            catalogue: str = (await client.get("/sessions/BTCUSD")).json()["catalogue"]
            return catalogue

        async def changed(minmov: int) -> str:
            file.write_text(f"{head}ZZZ,X,crypto,Zed,24x7,Etc/UTC,100,{minmov},0\n")
            assert await asyncio.to_thread(run_instruments, ["import", str(file), "--store", url, "--replace"]) == 0
            await client.get("/sessions/UNKNOWN")  # Of what it does not know it asks the store at once.
            return await told()

        async def changed_to_another(minmov: int) -> str:
            before, now = await told(), await changed(minmov)
            # It is patient for up to a second where the look before took long.
            async with asyncio.timeout(60):
                while now == before:
                    await asyncio.sleep(0.05)
                    await client.get("/sessions/UNKNOWN")
                    now = await told()
            return now

        seen = [await told(), await changed_to_another(1), await changed_to_another(2), await changed(2)]
        assert len({*seen, ""}) == 4
        assert seen[3] == seen[2]
        with closing(open_store(url)) as store:
            directory = open_directory(store.engine)
            assert directory.version == ""
            directory.find("ZZZ")
            assert directory.version == seen[2]

    ask(tmp_path, test)


def test_D03_sessions_over_http_by_any_spelling_and_unknown_symbols(tmp_path: Path) -> None:
    async def test(client: httpx.AsyncClient) -> None:
        found = (await client.get("/sessions/crypto:btcusd")).json()
        midnight = found["time"] // 86_400_000 * 86_400_000
        assert found == {
            "symbol": "BTCUSD",
            "isOpen": True,
            "start": midnight,
            "end": midnight + 86_400_000,
            "time": found["time"],
            "catalogue": found["catalogue"],
        }
        assert abs(found["time"] - datetime.now(UTC).timestamp() * 1000) < 10_000
        for unknown in ("NOPE", "NYSE:AAPL"):
            refused = await client.get(f"/sessions/{unknown}")
            assert (refused.status_code, refused.json()["detail"]) == (404, "Symbol not found")
            assert refused.json()["errors"] == [{"location": "path.symbol", "message": not_found_text(unknown)}]
        assert (await client.get(f"/sessions/{'A' * 81}")).status_code == 422

    ask(tmp_path, test)


@pytest.mark.parametrize(("symbols", "of"), [((), ""), (("AAPL", "ES"), " of AAPL, ES")])
def test_D03_a_replay_without_bars_says_what_to_do_and_its_log_stays_short(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    symbols: tuple[str, ...],
    of: str,
) -> None:
    monkeypatch.setattr(problems, "_refusals", RefusalLog())
    said = (
        f"The replay has no bars{of} to play; import some into its store: "
        "python -m trading_api import FILE --symbol SYMBOL --resolution R."
    )

    async def test(client: httpx.AsyncClient) -> None:
        for _ in range(20):
            refused = await client.get("/sessions/AAPL")
            assert (refused.status_code, refused.json()["detail"]) == (503, said)
        health = await client.get("/health")
        assert (health.status_code, health.json()["status"], health.json()["message"]) == (200, "degraded", said)

    ask(tmp_path, test, kind="replay", symbols=symbols)
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.getMessage(), record.exc_info) for record in told] == [(said, None), (f"503 {said}", None)]


def test_D03_only_pushed_quotes_tell_their_time(tmp_path: Path) -> None:
    async def pushed(client: httpx.AsyncClient) -> None:
        quote = {"symbol": "BTCUSD", "bid": 1, "ask": 2, "time": ms("2024-01-03T15:00:00")}
        assert (await client.post("/debug/quotes", json=[quote])).status_code == 200
        known, unknown = (await client.post("/quotes", json={"symbols": ["BTCUSD", "AAPL"]})).json()
        assert (known["v"]["time"], known["v"]["bid"]) == (ms("2024-01-03T15:00:00"), 1)
        assert unknown == {"s": "error", "n": "AAPL", "v": {}}

    async def simulated(client: httpx.AsyncClient) -> None:
        (quote,) = (await client.post("/quotes", json={"symbols": ["BTCUSD"]})).json()
        assert "time" not in quote["v"]
        assert len(quote["v"]) == 15
        assert Decimal(str(quote["v"]["ask"])) > Decimal(str(quote["v"]["bid"]))

    ask(tmp_path, pushed, kind="manual")
    ask(tmp_path, simulated)
