"""Generated clients of the modules as they are, against the apps they were generated from (G02, G04, M05)."""

import asyncio
import csv
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from support.clients_contract import imported, live_sources, write_client

from trading_api.app_factory import create_app
from trading_api.codegen.clients.naming import client_class_name, snake_case
from trading_api.modules.datafeed.commands import main as import_file
from trading_api.settings import Settings
from trading_api.shared.modular_app import ModularApp

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "AAPL-1D.csv"
pytestmark = pytest.mark.integration

Arguments = Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]]
# What to call operations with that need something; the models of the module are handed in.
ARGUMENTS: dict[str, Arguments] = {
    "getBars": lambda _: ((), {"symbol": "AAPL", "resolution": "1D", "count_back": 3}),
    "resolveSymbol": lambda _: ((), {"symbol": "BTCUSD"}),
    "searchSymbols": lambda _: ((), {"user_input": "A", "max_results": 2}),
    "getQuotes": lambda models: ((models.QuotesRequest(symbols=["BTCUSD", "nobody"]),), {}),
}


@dataclass(frozen=True)
class Live:
    """The app of every module, and the package of their clients."""

    app: ModularApp
    clients: ModuleType


def operations() -> Iterator[tuple[str, str]]:
    """(client class, operation id) of everything that the modules offer."""
    for source in live_sources():
        for item in source.openapi["paths"].values():
            for operation in item.values():
                yield client_class_name(source), operation["operationId"]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder: Path = tmp_path_factory.mktemp("live")
    store = f"sqlite:///{folder}/trading.db"
    assert import_file([str(EXAMPLE), "--symbol", "AAPL", "--resolution", "1D", "--store", store]) == 0
    app = create_app(Settings(store_url=store))
    with imported(write_client(folder / "live_clients", *live_sources())) as package:
        yield Live(app, package)


def test_G02_the_modules_have_operations() -> None:
    assert len(list(operations())) >= 12


@pytest.mark.parametrize(("client", "operation"), list(operations()))
def test_G04_every_operation_can_be_called_and_its_answer_is_typed(live: Live, client: str, operation: str) -> None:
    kind = getattr(live.clients, client)
    models = inspect.getmodule(kind).models  # type: ignore[union-attr]
    method = snake_case(operation)
    args, keywords = ARGUMENTS.get(operation, lambda _: ((), {}))(models)

    async def call() -> Any:
        transport = httpx.ASGITransport(live.app)
        async with live.app.router.lifespan_context(live.app), kind("http://app", transport=transport) as made:
            return await getattr(made, method)(*args, **keywords)

    answer = asyncio.run(call())
    returned = inspect.signature(getattr(kind, method)).return_annotation
    assert isinstance(answer, list) if str(returned).startswith("list[") else type(answer) is returned


def test_G04_an_unknown_symbol_is_not_found(live: Live) -> None:
    async def call() -> None:
        transport = httpx.ASGITransport(live.app)
        async with (
            live.app.router.lifespan_context(live.app),
            live.clients.DatafeedClient("http://app", transport=transport) as client,
        ):
            with pytest.raises(live.clients.NotFound, match="Symbol not found") as caught:
                await client.resolve_symbol(symbol="NO SUCH ?")
            assert caught.value.problem.request_id == caught.value.request_id
            with pytest.raises(live.clients.InvalidRequest) as invalid:
                await client.search_symbols(max_results=0)
            assert invalid.value.problem.errors[0].location == "query.max_results"

    asyncio.run(call())


def test_G04_prices_are_exactly_what_was_stored(live: Live) -> None:
    async def call() -> Any:
        transport = httpx.ASGITransport(live.app)
        async with (
            live.app.router.lifespan_context(live.app),
            live.clients.DatafeedClient("http://app", transport=transport) as client,
        ):
            return await client.get_bars(symbol="AAPL", resolution="1D", count_back=20000, to_time=10**11 - 1)

    with EXAMPLE.open() as file:
        stored = {line["Close"] if "Close" in line else line["close"] for line in csv.DictReader(file)}
    assert {bar.close for bar in asyncio.run(call()).bars} == {Decimal(close) for close in stored}
