"""The datafeed's routes, in this process."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import anyio
import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from trading_api.app_factory import create_app
from trading_api.feed_settings import FeedSettings
from trading_api.models.market import BarsResponse
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_text import bar_text
from trading_api.modules.datafeed.bars.history import History
from trading_api.modules.datafeed.commands import main
from trading_api.modules.datafeed.wire import bars_json
from trading_api.settings import ModuleChoice, Settings

Query = Mapping[str, str | int]
Get = Callable[[str, Query], httpx.Response]
DAY = 86_400
ALL = ["1", "3", "5", "15", "30", "60", "120", "240", "1D", "1W", "1M"]
JAN_2 = 1_704_153_600
HEADER = "time,open,high,low,close,volume\n"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """AAPL has days (2, 3, 4 and 9 January 2024) and hours; ABC, imported, has weeks."""
    path = tmp_path / "trading.db"
    days = "".join(f"2024-01-{day:02},10.10,12.29,9.5,11,{day}.5\n" for day in (2, 3, 4, 9))
    for symbol, resolution, rows in (
        ("AAPL", "1D", days),
        ("AAPL", "60", "2024-01-02T14:30Z,1,2,1,2,3\n"),
        ("NYSE:ABC", "1W", "2024-01-01,0.00001,1,0,1,3\n"),
    ):
        file = tmp_path / "file.csv"
        file.write_text(HEADER + rows)
        options = ["--symbol", symbol, "--resolution", resolution, "--store", f"sqlite:///{path}"]
        assert main([str(file), *options]) == 0
    return path


@contextmanager
def served(database: Path) -> Iterator[Get]:
    """The app on this store, without a socket."""
    app = create_app(Settings(enabled_modules=(ModuleChoice("datafeed"),), store_url=f"sqlite:///{database}"))

    async def fetch(path: str, query: Query) -> httpx.Response:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test/api/v1/datafeed"
            ) as client,
        ):
            return await client.get(path, params=dict(query))

    yield lambda path, query: anyio.run(fetch, path, query)


@pytest.fixture
def get(database: Path) -> Iterator[Get]:
    with served(database) as fetch:
        yield fetch


def detail(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    text = response.json()["detail"]
    assert isinstance(text, str)
    return text


def times(response: httpx.Response) -> list[int]:
    assert response.status_code == 200, response.text
    return [bar["time"] // 1000 for bar in response.json()["bars"]]


def bars(get: Get, **query: str | int) -> httpx.Response:
    return get("/bars", {"symbol": "AAPL", "resolution": "1D", **query})


@pytest.mark.parametrize("symbol", ["NOPE", "NYSE:AAPL", "' OR 1=1 --"])
def test_D01_unknown_symbol_is_a_404_problem(get: Get, symbol: str) -> None:
    assert detail(get(f"/resolve/{symbol}", {}), 404) == "Symbol not found"
    assert detail(bars(get, symbol=symbol, from_time=0), 404) == "Symbol not found"


def test_D01_resolution_that_is_not_stored_lists_those_that_are(get: Get) -> None:
    said = detail(bars(get, resolution="5", from_time=0), 400)
    assert said == "resolution 5 of AAPL is not available; offered: 60, 120, 240, 1D, 1W, 1M"
    assert "unknown resolution '7': use one of 1, 3" in detail(bars(get, resolution="7", from_time=0), 400)


def test_D01_bad_ranges_are_400_problems(get: Get) -> None:
    assert detail(bars(get, from_time=20, to_time=10), 400) == "from_time 20 is after to_time 10"
    assert "give from_time, or count_back" in detail(bars(get, to_time=10), 400)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/bars", {"symbol": "AAPL", "resolution": "D", "count_back": 20_001}),
        ("/bars", {"symbol": "AAPL", "resolution": "D", "count_back": 0}),
        ("/bars", {"symbol": "AAPL", "resolution": "D", "from_time": 10**16}),
        ("/bars", {"symbol": "A" * 81, "resolution": "D", "from_time": 0}),
        ("/bars", {"symbol": "AAPL", "resolution": "D" * 9, "from_time": 0}),
        ("/bars", {"resolution": "D", "from_time": 0}),
        ("/search", {"user_input": "a" * 65}),
        ("/search", {"exchange": "a" * 33}),
        ("/search", {"symbol_type": "a" * 33}),
        ("/search", {"max_results": 101}),
        ("/search", {"max_results": 0}),
        (f"/resolve/{'A' * 81}", {}),
    ],
)
def test_D01_all_input_is_bounded(get: Get, path: str, query: Query) -> None:
    detail(get(path, query), 422)


def test_D01_unreadable_store_is_a_503_problem_without_its_path(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no database " * 1000)
    with served(broken) as get:
        for path in ("/config", "/search", "/resolve/AAPL"):
            said = detail(get(path, {}), 503)
            assert "cannot be read" in said
            assert "broken" not in said


def test_D01_bars_between_two_times_the_end_excluded(get: Get) -> None:
    assert times(bars(get, from_time=JAN_2, to_time=JAN_2 + 2 * DAY)) == [JAN_2, JAN_2 + DAY]
    assert times(bars(get, from_time=JAN_2 * 1000, to_time=(JAN_2 + DAY) * 1000)) == [JAN_2]
    assert times(bars(get, from_time=JAN_2, resolution="D", symbol="nasdaq:aapl"))[-1] == JAN_2 + 7 * DAY


def test_D01_bars_counted_back_outrank_from_time(get: Get) -> None:
    expected = [JAN_2 + DAY, JAN_2 + 2 * DAY]
    assert times(bars(get, from_time=JAN_2 + 4 * DAY, to_time=JAN_2 + 5 * DAY, count_back=2)) == expected


def test_D01_empty_range_tells_of_the_next_older_bar_in_ms(get: Get) -> None:
    gap = bars(get, from_time=JAN_2 + 4 * DAY, to_time=JAN_2 + 6 * DAY)
    assert gap.json() == {"bars": [], "no_data": False, "nextTime": (JAN_2 + 2 * DAY) * 1000}
    assert bars(get, from_time=0, to_time=JAN_2).json() == {"bars": [], "no_data": True}


def test_D01_bars_are_sent_with_their_exact_decimals(get: Get) -> None:
    body = json.loads(bars(get, from_time=JAN_2 + DAY, to_time=JAN_2 + 2 * DAY).text, parse_float=Decimal)
    assert body == {
        "bars": [
            {
                "time": (JAN_2 + DAY) * 1000,
                "open": Decimal("10.1"),
                "high": Decimal("12.29"),
                "low": Decimal("9.5"),
                "close": Decimal(11),
                "volume": Decimal("3.5"),
            }
        ],
        "no_data": False,
    }


NUMBERS = st.integers(0, 10**18 - 1)


@given(
    st.lists(
        st.builds(
            ScaledBar,
            st.integers(),
            st.integers(0, 18),
            NUMBERS,
            NUMBERS,
            NUMBERS,
            NUMBERS,
            st.integers(0, 18),
            NUMBERS,
        ),
        max_size=5,
    ),
    st.one_of(st.none(), st.integers()),
)
def test_D01_hand_written_json_is_what_the_model_says(sent: list[ScaledBar], next_time: int | None) -> None:
    text = bars_json(History(bars=bar_text(sent), next_time=next_time))
    model = BarsResponse.model_validate_json(text)
    exact = json.loads(text, parse_float=Decimal)
    assert model.model_dump(exclude_none=True).keys() == exact.keys()
    for wire, parsed, bar in zip(exact["bars"], model.bars, sent, strict=True):
        assert Decimal(wire["close"]) == Decimal(bar.close).scaleb(-bar.price_scale)
        assert Decimal(wire["volume"]) == Decimal(bar.volume).scaleb(-bar.volume_scale)
        assert float(parsed.high) == bar.high / 10**bar.price_scale
        assert parsed.model_dump().keys() == wire.keys()


@given(st.integers(0, 10**15 - 1), st.integers(0, 15))
def test_D01_a_client_with_doubles_reads_back_15_digits_exactly(coefficient: int, scale: int) -> None:
    bar = ScaledBar(0, scale, coefficient, coefficient, coefficient, coefficient, 0, 0)
    read = json.loads(bars_json(History(bars=bar_text([bar]), next_time=None)))["bars"][0]["open"]
    assert Decimal(f"{read:.15g}") == Decimal(coefficient).scaleb(-scale)


def test_D01_symbol_info_tells_of_stored_resolutions_only(get: Get) -> None:
    assert get("/resolve/nasdaq:aapl", {}).json() == {
        "name": "AAPL",
        "ticker": "AAPL",
        "description": "Apple Inc.",
        "type": "stock",
        "session": "0930-1600",
        "timezone": "America/New_York",
        "exchange": "NASDAQ",
        "listed_exchange": "NASDAQ",
        "format": "price",
        "pricescale": 100,
        "minmov": 1,
        "has_intraday": True,
        "has_daily": True,
        "has_weekly_and_monthly": True,
        "supported_resolutions": ["60", "120", "240", "1D", "1W", "1M"],
        "volume_precision": 4,
        "data_status": "endofday",
    }


def test_D01_symbol_without_stored_bars_has_all_that_the_simulator_makes(get: Get) -> None:
    info = get("/resolve/ES", {}).json()
    assert (info["supported_resolutions"], info["data_status"]) == (ALL, "streaming")
    assert all(info[flag] for flag in ("has_intraday", "has_daily", "has_weekly_and_monthly"))
    assert len(times(bars(get, symbol="ES", resolution="1", count_back=5))) == 5


def test_D02_simulated_history_begins_with_2015_and_ends_with_the_bar_that_forms(get: Get) -> None:
    days = times(bars(get, symbol="BTCUSD", from_time=0))
    assert days[0] == int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())
    assert days[-1] == int(time.time()) // DAY * DAY
    assert bars(get, symbol="BTCUSD", from_time=0, to_time=days[0]).json() == {"bars": [], "no_data": True}
    far = bars(get, symbol="BTCUSD", from_time=10**15 - 1, to_time=10**15).json()
    assert (far["bars"], far["nextTime"]) == ([], days[-1] * 1000)


@pytest.mark.parametrize("query", [{"from_time": -(10**15)}, {"from_time": -(10**15), "to_time": 10**15}])
def test_D02_an_absurd_range_of_simulated_minutes_is_refused_and_says_how_many_there_may_be(
    get: Get, query: Query
) -> None:
    said = detail(bars(get, symbol="BTCUSD", resolution="1", **query), 400)
    assert said == "the range holds more than 20000 bars: ask for a shorter one, or use count_back"


def test_D01_imported_symbol_resolves_with_what_its_bars_told(get: Get) -> None:
    info = get("/resolve/nyse:abc", {}).json()
    assert (info["name"], info["exchange"], info["pricescale"], info["volume_precision"]) == ("ABC", "NYSE", 100_000, 0)
    assert (info["supported_resolutions"], info["has_weekly_and_monthly"]) == (["1W"], True)


def test_D01_config_offers_every_resolution_and_the_exchanges_and_types_that_there_are(get: Get) -> None:
    config = get("/config", {}).json()
    assert config["supported_resolutions"] == ALL
    exchanges = [entry["value"] for entry in config["exchanges"]]
    assert exchanges == ["", *sorted(exchanges[1:])]
    assert {"CME", "CRYPTO", "FX", "NASDAQ", "NYSE"} <= {*exchanges}
    assert {"", "crypto", "forex", "futures", "stock"} <= {entry["value"] for entry in config["symbols_types"]}
    assert {name for name, value in config.items() if value is True} == {"supports_search"}


def test_D01_search_answers_best_first(get: Get) -> None:
    found = get("/search", {"user_input": "aapl", "symbol_type": "stock"}).json()
    assert found[0] == {
        "symbol": "AAPL",
        "description": "Apple Inc.",
        "exchange": "NASDAQ",
        "ticker": "AAPL",
        "type": "stock",
    }
    listed = [entry["symbol"] for entry in get("/search", {"user_input": "nasdaq:", "max_results": 2}).json()]
    assert len(listed) == 2
    assert listed == sorted(listed)


@pytest.mark.parametrize("path", ["/debug/quotes"])
def test_D01_quotes_cannot_be_pushed_unless_that_is_configured(database: Path, path: str) -> None:
    manual, replay = FeedSettings(kind="manual"), FeedSettings(kind="replay")
    for settings in (
        Settings(store_url=f"sqlite:///{database}"),
        Settings(store_url=f"sqlite:///{database}", feed=manual),
        Settings(store_url=f"sqlite:///{database}", debug_routes=True),
        Settings(store_url=f"sqlite:///{database}", debug_routes=True, feed=replay),
    ):
        app = create_app(replace(settings, enabled_modules=(ModuleChoice("datafeed"),)))
        known = {route.path for each in app.module_apps for route in each.routes if isinstance(route, APIRoute)}
        assert path not in known


def test_D01_openapi_names_every_route_and_its_model(get: Get) -> None:
    paths = get("/openapi.json", {}).json()["paths"]
    operations = {
        operation["operationId"]: operation["responses"]["200"]["content"]["application/json"]["schema"]
        for path, route in paths.items()
        for operation in route.values()
        if not path.endswith(("/health", "/version", "/versions", "/ws-stats"))
    }
    known = {"getConfig", "searchSymbols", "resolveSymbol", "getTradingSession", "getBars", "getQuotes"}
    assert operations.keys() == known
    assert operations["getBars"] == {"$ref": "#/components/schemas/BarsResponse"}
