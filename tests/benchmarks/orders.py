"""Durable orders through the gateway, by wrk: how many are acknowledged a second, how soon, how soon they are told.

The floor is a loop that commits single rows to SQLite (`synchronous=FULL`), one after the other, in the same run: what
a broker reaches that commits order by order and does nothing else at all, no HTTP included.
"""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

from benchmarks import wrk
from benchmarks.result import Result, ratios
from support.project import Project

from trading_api.clients import BrokerClient
from trading_api.clients.runtime import Update
from trading_api.modules.broker.client_generated import broker_v1_models as models

_CLIENTS = (1, 32, 256)
_SECONDS = 5
_TOLD = 200
_ACCOUNT = "DEMO-ACCOUNT"
# Rests for ever: nobody sells that low.
_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"symbol":"BTCUSD","type":1,"side":1,"qty":0.0001,"limitPrice":1}'
"""


def run(project: Project, runs: int) -> Iterator[Result]:
    """Acknowledged orders a second and the slowest of a hundred, for each number of clients. Needs wrk."""
    if not wrk.is_here("orders"):
        return
    script = project.folder / "order.lua"
    script.write_text(_SCRIPT)
    project.write(project.standard(core={"reload": False}))
    project.up()
    _orders(project, script, 1, seconds=1)
    rounds, floors = max(1, runs // 2), list[float]()
    for clients in _CLIENTS:
        found = []
        for _ in range(rounds):
            found.append(_orders(project, script, clients))
            if clients == 32:
                floors.append(_floor(project.folder / "floor.db"))
        rates = tuple(one.rate for one in found)
        yield Result(f"orders acknowledged, {clients} clients", rates, "orders/s", note="durable, through nginx")
        yield Result(f"order to answer, {clients} clients, 99 %", tuple(one.p99 for one in found), "ms")
        if clients == 32:
            yield Result("single-row commits of SQLite", tuple(floors), "commits/s", note="synchronous=FULL, no HTTP")
            yield Result("orders of 32 clients ÷ single-row commits", ratios(rates, floors), "ratio")
    told = asyncio.run(_told(project.url))
    yield Result("order to orders.update, median", (statistics.median(told),), "ms", note="one client, through nginx")
    yield Result("order to orders.update, 99 %", (statistics.quantiles(told, n=100)[98],), "ms")
    project.down()


def _orders(project: Project, script: Path, clients: int, seconds: int = _SECONDS) -> wrk.Answered:
    url = f"{project.url}/api/v1/broker/orders"
    return wrk.ask(url, connections=clients, seconds=seconds, script=script)


def _floor(file: Path, seconds: float = 2.0) -> float:
    """Single-row commits a second."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, payload TEXT)")
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        connection.execute("INSERT INTO orders (payload) VALUES (?)", ("x" * 300,))
        done += 1
    took = time.perf_counter() - start
    connection.close()
    return done / took


async def _told(url: str) -> list[float]:
    """Milliseconds from the call to the update, of orders placed one after the other."""
    order = models.PreOrder(
        symbol="BTCUSD",
        type=models.OrderType.LIMIT,
        side=models.Side.BUY,
        qty=Decimal("0.0001"),
        limitPrice=Decimal(1),
    )
    request = models.OrderSubscription(accountId=_ACCOUNT)
    async with BrokerClient(url) as client, client.orders.subscribe(request) as stream:
        arrivals = Arrivals(stream.events())
        took = []
        for _ in range(_TOLD):
            start = time.perf_counter()
            placed = await client.place_order(order)
            took.append((await arrivals.of(placed.orderId) - start) * 1000)
        arrivals.stop()
    return took


class Arrivals:
    """When the updates of each order began to arrive. Those of the load before may still be among them."""

    def __init__(self, events: AsyncIterator[object]) -> None:
        self._events = events
        self._first: dict[str, asyncio.Future[float]] = {}
        self._reading = asyncio.create_task(self._read())

    async def of(self, order_id: str) -> float:
        """Seconds, of time.perf_counter."""
        return await self._future(order_id)

    def stop(self) -> None:
        self._reading.cancel()

    async def _read(self) -> None:
        async for event in self._events:
            if isinstance(event, Update) and not (first := self._future(event.data.id)).done():
                first.set_result(time.perf_counter())

    def _future(self, order_id: str) -> "asyncio.Future[float]":
        return self._first.setdefault(order_id, asyncio.get_running_loop().create_future())
