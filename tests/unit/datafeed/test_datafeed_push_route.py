"""Pushing quotes over REST: what is refused, and how it is said (D02)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from support.datafeed_bars import at

from trading_api.app_factory import create_app
from trading_api.feed_settings import FeedSettings
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.tick_store import TickStore
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared import problems
from trading_api.shared.refusal_log import RefusalLog

NOW = at("2024-01-03T15:00:00")
"""A Wednesday morning in New York."""
LATE = f"before the newest quote of the symbol (2024-01-03 15:00:00Z, {NOW} ms)"
Client = httpx.AsyncClient


def with_client(folder: Path, test: Callable[[Client], Awaitable[None]]) -> None:
    """Run `test` against a datafeed that takes quotes, with a store in `folder`."""
    settings = Settings(
        enabled_modules=(ModuleChoice("datafeed"),),
        store_url=f"sqlite:///{folder / 'trading.db'}",
        feed=FeedSettings(kind="manual"),
        debug_routes=True,
    )

    async def main() -> None:
        app = create_app(settings)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            Client(transport=transport, base_url="http://test/api/v1/datafeed") as client,
        ):
            await test(client)

    asyncio.run(main())


GOOD = {"symbol": "AAPL", "bid": 190.01, "ask": 190.03, "time": NOW}


def test_D02_quotes_that_cannot_be_written_say_so_in_one_line_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    monkeypatch.setattr(problems, "_refusals", RefusalLog())

    def locked(*_arguments: object) -> int:
        raise StoreError("/secret/trading.db: database is locked")

    async def test(client: Client) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(TickStore, "append", locked)
            refused = await client.post("/debug/quotes", json=[GOOD])
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        said.append(refused.json()["detail"])
        assert said == ["The quotes could not be written to the store. Nothing was stored; try again."]
        assert (await client.post("/debug/quotes", json=[GOOD])).json() == {"stored": 1, "seq": 1}

    with_client(tmp_path, test)
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage() == f"503 {said[0]} (/secret/trading.db: database is locked)"
    assert record.exc_info is None


@pytest.mark.parametrize(("wrong", "listed", "more"), [(20, 20, ""), (21, 20, "1 more"), (1000, 20, "980 more")])
def test_D02_of_many_wrong_quotes_the_first_are_listed_and_the_others_counted(
    tmp_path: Path, wrong: int, listed: int, more: str
) -> None:
    async def test(client: Client) -> None:
        refused = await client.post("/debug/quotes", json=[{**GOOD, "symbol": "NOPE"}] * wrong)
        problem = refused.json()
        assert refused.status_code == 400
        assert [each["location"] for each in problem["errors"]] == [f"body.{place}.symbol" for place in range(listed)]
        assert problem["detail"].endswith(f"the first 20 problems are listed, there are {more}") is bool(more)

    with_client(tmp_path, test)


def test_D01_quotes_are_pushed_over_rest_all_or_none(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        done = await client.post("/debug/quotes", json=[GOOD, {**GOOD, "symbol": "nasdaq:msft"}])
        assert (done.status_code, done.json()) == (200, {"stored": 2, "seq": 2})
        refused = await client.post("/debug/quotes", json=[GOOD, {**GOOD, "bid": 190.05}, {**GOOD, "time": 5}])
        assert refused.status_code == 400
        assert refused.json()["errors"] == [
            {"location": "body.1.bid", "message": "190.05 is above the ask 190.03"},
            {"location": "body.2.time", "message": LATE},
        ]
        late = await client.post("/debug/quotes", json=[GOOD, {**GOOD, "time": 5}])
        assert late.json()["errors"] == [{"location": "body.1.time", "message": LATE}]
        bodies: list[object] = [
            [],
            [GOOD] * 1001,
            {},
            [{**GOOD, "more": 1}],
            [{**GOOD, "bid": "1"}],
            [{**GOOD, "bid": -1}],
        ]
        for body in bodies:
            assert (await client.post("/debug/quotes", json=body)).status_code == 422
        (quote,) = (await client.post("/quotes", json={"symbols": ["AAPL"]})).json()
        assert (quote["s"], quote["v"]["lp"]) == ("ok", 190.02)
        history = (await client.get("/bars", params={"symbol": "AAPL", "resolution": "1", "count_back": 9})).json()
        assert [bar["time"] for bar in history["bars"]] == [NOW]
        paths = (await client.get("/openapi.json")).json()["paths"]
        assert not [path for path in paths if "debug" in path]

    with_client(tmp_path, test)
