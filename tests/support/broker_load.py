"""Clients that trade without a pause through the gateway, and remember every answer that they were given."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

SYMBOL = "BTCUSD"
BUY, SELL = 1, -1
LIMIT, MARKET, STOP = 1, 2, 3
_WORKERS = 8
_PATIENCE_S = 60.0
_AGAIN_S = 0.1
# Every so many orders are sent twice at once.
_TWICE = 5
_Json = dict[str, Any]


@dataclass
class TradeLoad:
    """`placed`: Idempotency-Key → order id, of every acknowledged order. `mistakes`: answers that must not be."""

    url: str
    seed: int
    placed: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)
    answers: int = 0
    retries: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    price: int = 50_000

    def __post_init__(self) -> None:
        self._drawn = random.Random(self.seed)

    async def goes_on(self, more: int = 40) -> None:
        """Wait until so many more commands are answered."""
        goal = self.answers + more
        async with asyncio.timeout(_PATIENCE_S):
            while self.answers < goal:
                await asyncio.sleep(0.02)

    async def trade(self) -> None:
        """One client, until the load ends."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as client:
            while not self.ended.is_set():
                await self._one(client)

    async def push_quotes(self) -> None:
        """Move the price, several times a second; a datafeed that is away is pushed again."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10) as client:
            while not self.ended.is_set():
                self.price += self._drawn.randint(-60, 60)
                quote = {"symbol": SYMBOL, "bid": self.price, "ask": self.price + 1}
                with suppress(httpx.HTTPError):
                    await client.post("/api/v1/datafeed/debug/quotes", json=[quote])
                await asyncio.sleep(0.1)

    async def _one(self, client: httpx.AsyncClient) -> None:
        chosen = self._drawn.random()
        known = list(self.placed.values())
        if chosen < 0.65 or not known:
            await self._place(client)
        elif chosen < 0.85:
            await self._command(client, "DELETE", f"/api/v1/broker/orders/{self._drawn.choice(known)}")
        else:
            await self._command(client, "DELETE", f"/api/v1/broker/positions/{SYMBOL}?amount=0.001")

    async def _place(self, client: httpx.AsyncClient) -> None:
        key, order = uuid4().hex, self._order()
        times = 2 if len(self.placed) % _TWICE == 0 else 1
        await asyncio.gather(*(self._send(client, key, order) for _ in range(times)))

    async def _send(self, client: httpx.AsyncClient, key: str, order: _Json) -> None:
        reply = await self._asked(client, "POST", "/api/v1/broker/orders", json=order, headers={"Idempotency-Key": key})
        if reply.status_code == 200:
            known = self.placed.setdefault(key, reply.json()["orderId"])
            if known != reply.json()["orderId"]:
                self.mistakes.append(f"{key}: placed as {known} and as {reply.json()['orderId']}")
        else:
            self._note_refusal(reply)

    def _order(self) -> _Json:
        side, qty = self._drawn.choice((BUY, SELL)), self._drawn.randint(1, 20) / 1000
        order: _Json = {"symbol": SYMBOL, "side": side, "qty": qty, "type": MARKET}
        if self._drawn.random() < 0.6:
            order |= {"type": LIMIT, "limitPrice": self.price - side * self._drawn.randint(-20, 200)}
        if self._drawn.random() < 0.3:
            reference = order.get("limitPrice", self.price)
            order |= {"takeProfit": reference + side * 300, "stopLoss": reference - side * 300}
        return order

    async def _command(self, client: httpx.AsyncClient, method: str, path: str) -> None:
        reply = await self._asked(client, method, path)
        if reply.status_code != 200:
            self._note_refusal(reply)

    def _note_refusal(self, reply: httpx.Response) -> None:
        if reply.status_code in {400, 404}:
            self.refused[str(reply.json()["detail"])[:40]] += 1
        else:
            self.mistakes.append(f"{reply.status_code} {reply.text[:200]}")

    async def _asked(self, client: httpx.AsyncClient, method: str, path: str, **keywords: Any) -> httpx.Response:
        """The answer, asked for again while nobody can give it: only an order that carries a key may be sent twice."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            try:
                reply = await client.request(method, path, **keywords)
            except httpx.HTTPError as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise AssertionError(f"{method} {path} got no answer: {error!r}") from error
            else:
                if reply.status_code < 500 or asyncio.get_running_loop().time() > deadline:
                    self.answers += 1
                    return reply
            self.retries += 1
            await asyncio.sleep(_AGAIN_S)


@asynccontextmanager
async def trade_load(url: str, seed: int) -> AsyncIterator[TradeLoad]:
    """Traders and a moving price, for as long as the block lasts."""
    load = TradeLoad(url, seed)
    tasks = [asyncio.create_task(load.push_quotes())]
    tasks += [asyncio.create_task(load.trade()) for _ in range(_WORKERS)]
    try:
        await load.goes_on()
        yield load
    finally:
        load.ended.set()
        done, late = await asyncio.wait(tasks, timeout=_PATIENCE_S)
        for task in late:
            task.cancel()
    for task in done:
        task.result()
