"""Generated clients of the modules as they are, against a server of what they were generated from (G02, G04, M05)."""

import asyncio
import csv
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from support.broker_server import broker_server
from support.clients_contract import imported, live_sources, write_client
from support.program_blocks import python_blocks

from trading_api.codegen.clients.naming import client_class_name, snake_case
from trading_api.modules.datafeed.commands import main as import_file

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "AAPL-1D.csv"
TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial.md"
pytestmark = pytest.mark.integration

Arguments = Callable[[Any, str], tuple[tuple[Any, ...], dict[str, Any]]]
NO_ARGUMENTS: Arguments = lambda *_: ((), {})  # noqa: E731
ORDER = {"symbol": "BTCUSD", "side": 1, "qty": Decimal(1)}
RESTING = {**ORDER, "type": 1, "limitPrice": Decimal("0.5")}
LEVERAGE = {"symbol": "BTCUSD", "orderType": 2, "side": 1, "leverage": Decimal(20)}
# What to call operations with that need something: the module's models, and the id of an order that rests.
ARGUMENTS: dict[str, Arguments] = {
    "getBars": lambda *_: ((), {"symbol": "AAPL", "resolution": "1D", "count_back": 3}),
    "resolveSymbol": lambda *_: ((), {"symbol": "BTCUSD"}),
    "getTradingSession": lambda *_: ((), {"symbol": "BTCUSD"}),
    "searchSymbols": lambda *_: ((), {"user_input": "A", "max_results": 2}),
    "getQuotes": lambda models, _: ((models.QuotesRequest(symbols=["BTCUSD", "nobody"]),), {}),
    "placeOrder": lambda models, _: ((models.PreOrder(**ORDER, type=2),), {}),
    "previewOrder": lambda models, _: ((models.PreOrder(**ORDER, type=2),), {}),
    "modifyOrder": lambda models, order: ((models.ChangedOrder(**RESTING),), {"order_id": order}),
    "cancelOrder": lambda _, order: ((), {"order_id": order}),
    "closePosition": lambda *_: ((), {"position_id": "BTCUSD", "amount": Decimal("0.5")}),
    "editPositionBrackets": lambda models, _: (
        (models.EditBracketsRequest(brackets=models.Brackets(stopLoss=Decimal("0.5"))),),
        {"position_id": "BTCUSD"},
    ),
    "getExecutions": lambda *_: ((), {"symbol": "BTCUSD"}),
    "leverageInfo": lambda models, _: ((), {"symbol": "BTCUSD", "order_type": models.OrderType.LIMIT, "side": 1}),
    "setLeverage": lambda models, _: ((models.LeverageSetRequest(**LEVERAGE),), {}),
    "previewLeverage": lambda models, _: ((models.LeverageSetRequest(**LEVERAGE),), {}),
}


@dataclass(frozen=True)
class Live:
    """A server of every module, and the package of their clients."""

    url: str
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
    with (
        imported(write_client(folder / "live_clients", *live_sources())) as package,
        broker_server(folder, TRADING_FEED_KIND="simulated", ENABLED_MODULES="") as server,
    ):
        yield Live(server.url, package)


async def prepared(client: Any, models: Any, operation: str) -> str:
    """Do what an operation needs to have been done; the id of an order that rests, if it needs one."""
    if operation in ("closePosition", "editPositionBrackets"):
        await client.place_order(models.PreOrder(**ORDER, type=2))
    if operation not in ("modifyOrder", "cancelOrder"):
        return ""
    order_id: str = (await client.place_order(models.PreOrder(**RESTING))).orderId
    return order_id


def test_G02_the_modules_have_operations() -> None:
    assert len(list(operations())) >= 12


@pytest.mark.parametrize(("client", "operation"), list(operations()))
def test_G04_every_operation_can_be_called_and_its_answer_is_typed(live: Live, client: str, operation: str) -> None:
    kind = getattr(live.clients, client)
    models = inspect.getmodule(kind).models  # type: ignore[union-attr]
    method = snake_case(operation)

    async def call() -> Any:
        async with kind(live.url) as made:
            order = await prepared(made, models, operation)
            args, keywords = ARGUMENTS.get(operation, NO_ARGUMENTS)(models, order)
            return await getattr(made, method)(*args, **keywords)

    answer = asyncio.run(call())
    returned = inspect.signature(getattr(kind, method)).return_annotation
    assert isinstance(answer, list) if str(returned).startswith("list[") else type(answer) is returned


def test_G04_an_unknown_symbol_is_not_found(live: Live) -> None:
    async def call() -> None:
        async with live.clients.DatafeedClient(live.url) as client:
            with pytest.raises(live.clients.NotFound, match="Symbol not found") as caught:
                await client.resolve_symbol(symbol="NO SUCH ?")
            assert caught.value.problem.request_id == caught.value.request_id
            with pytest.raises(live.clients.InvalidRequest) as invalid:
                await client.search_symbols(max_results=0)
            assert invalid.value.problem.errors[0].location == "query.max_results"

    asyncio.run(call())


def test_G04_prices_are_exactly_what_was_stored(live: Live) -> None:
    async def call() -> Any:
        async with live.clients.DatafeedClient(live.url) as client:
            return await client.get_bars(symbol="AAPL", resolution="1D", count_back=20000, to_time=10**11 - 1)

    with EXAMPLE.open() as file:
        stored = {line["Close"] if "Close" in line else line["close"] for line in csv.DictReader(file)}
    assert {bar.close for bar in asyncio.run(call()).bars} == {Decimal(close) for close in stored}


def test_D03_the_session_in_the_tutorial_prints_what_it_shows(live: Live) -> None:
    """But for the prices, and the numbers of orders and fills."""
    text = TUTORIAL.read_text(encoding="utf-8")
    (program,) = python_blocks(text)
    shown = re.search(r"^```sh\n\.venv/bin/python trade\.py\n```\n\n```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert shown
    assert program.count("http://127.0.0.1:8000") == 1
    httpx.post(f"{live.url}/api/v1/broker/debug/reset", trust_env=False).raise_for_status()
    command = [sys.executable, "-c", program.replace("http://127.0.0.1:8000", live.url)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert masked(done.stdout) == masked(shown[1])


def masked(text: str) -> str:
    """Without its numbers."""
    return re.sub(r"\d[\d.,]*", "#", text)
