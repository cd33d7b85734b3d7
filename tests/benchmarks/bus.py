"""The bus: what goes through it, and how long a request takes; in memory, over NATS, and nats-py alone as the floor.

Both ends are in one process, on uvloop as the servers are, with a connection each.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import uvloop
from benchmarks.result import Result, ratios
from nats.aio.client import Client
from nats.aio.msg import Msg
from support.nats import NatsServer, nats_server
from support.project import Project

from trading_api.shared.bus import Message, open_bus

_MESSAGES, _BYTES = 30_000, 350
# So many at once, then the subscriber has them: no end may drop any.
_BURST = 1000
_REQUESTS = 3000

Publish = Callable[[bytes], Awaitable[None]]
Ask = Callable[[bytes], Awaitable[object]]
# Publishes to a subscriber that counts, and asks one that echoes.
Ends = tuple[Publish, list[int], Ask]
Kind = Callable[[NatsServer], AbstractAsyncContextManager[Ends]]


def run(project: Project, runs: int) -> Iterator[Result]:
    """The figures of all three kinds, taken in turns."""
    rates: dict[str, list[float]] = {name: [] for name in _KINDS}
    waits: dict[str, list[list[float]]] = {name: [] for name in _KINDS}
    with nats_server() as server:
        for _ in range(runs):
            for name, kind in _KINDS.items():
                rate, wait = _measured(kind, server)
                rates[name].append(rate)
                waits[name].append(wait)
    for name in _KINDS:
        yield Result(f"bus, {name}: {_BYTES}-byte messages delivered", tuple(rates[name]), "1/s")
    share = ratios(rates["NATS"], rates["nats-py"])
    yield Result("bus, NATS: delivered ÷ nats-py alone", share, "ratio", 0.7, at_least=True)
    for percent in (50, 99):
        found = {name: tuple(_percentile(each, percent) for each in waits[name]) for name in _KINDS}
        for name in _KINDS:
            yield Result(f"bus, {name}: request and answer, p{percent}", found[name], "ms")
        if percent == 50:
            more = ratios(found["NATS"], found["nats-py"])
            yield Result("bus, NATS: request and answer ÷ nats-py alone", more, "ratio", 1.3)


def _measured(kind: Kind, server: NatsServer) -> tuple[float, list[float]]:
    async def measure() -> tuple[float, list[float]]:
        async with kind(server) as (publish, counter, ask):
            return await _rate(publish, counter), await _waits(ask)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measure())


async def _rate(publish: Publish, counter: list[int]) -> float:
    """Messages per second, from the first that is published to the last that arrives."""
    data = b"x" * _BYTES
    begun = time.perf_counter()
    for sent in range(_BURST, _MESSAGES + 1, _BURST):
        for _ in range(_BURST):
            await publish(data)
        while counter[0] < sent:
            await asyncio.sleep(0)
    return _MESSAGES / (time.perf_counter() - begun)


async def _waits(ask: Ask) -> list[float]:
    """Milliseconds of each request, one after the other."""
    found = []
    for _ in range(_REQUESTS):
        begun = time.perf_counter()
        await ask(b"x" * 100)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


@asynccontextmanager
async def _ours(url: str, token_file: str) -> AsyncIterator[Ends]:
    publisher = open_bus(url, token_file)
    subscriber = open_bus(url, token_file) if url else publisher
    counter = [0]

    async def count(_: Message) -> None:
        counter[0] += 1

    async def echo(data: bytes) -> bytes:
        return data

    await publisher.connect()
    await subscriber.connect()
    await subscriber.subscribe("bench", count)
    await subscriber.serve("bench", echo)
    try:
        yield (
            lambda data: publisher.publish("bench", data),
            counter,
            lambda data: publisher.request("bench", data, timeout=10),
        )
    finally:
        await publisher.close()
        await subscriber.close()


@asynccontextmanager
async def _raw(url: str, token: str) -> AsyncIterator[Ends]:
    publisher, subscriber, counter = Client(), Client(), [0]

    async def count(_: Msg) -> None:
        counter[0] += 1

    async def echo(message: Msg) -> None:
        await message.respond(message.data)

    await publisher.connect(url, token=token)
    await subscriber.connect(url, token=token)
    await subscriber.subscribe("bench", cb=count)
    await subscriber.subscribe("echo", "servers", cb=echo)
    await asyncio.sleep(0)
    await subscriber.flush()
    try:
        yield (
            lambda data: publisher.publish("bench", data),
            counter,
            lambda data: publisher.request("echo", data, timeout=10),
        )
    finally:
        await publisher.close()
        await subscriber.close()


_KINDS: dict[str, Kind] = {
    "memory": lambda _: _ours("", ""),
    "NATS": lambda server: _ours(server.url, str(server.token_file)),
    "nats-py": lambda server: _raw(server.url, server.token_file.read_text().strip()),
}
