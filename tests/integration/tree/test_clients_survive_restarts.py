"""Generated clients stream through the gateway, and a restart of the server behind it costs them a moment only."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.project import Project
from support.waiting import wait_until

from trading_api.clients import DatafeedClient
from trading_api.clients.runtime import Gap, Reconnected, StreamPolicy, Subscription, TransportError, Update
from trading_api.modules.datafeed.client_generated import datafeed_v1_models as models

pytestmark = pytest.mark.integration

# Always open, so there are updates whenever the test runs.
SYMBOL = "BTCUSD"
CLIENTS = 200
# The broker's own link to the quotes, which subscribes to nothing.
LINKS = 1
# Back within a moment: the test waits for the slowest of 200.
PATIENT = StreamPolicy(base=0.1, longest=1.0)


class Reader:
    """One client that reads one stream, and counts what it is told."""

    def __init__(self, url: str, symbol: str, *, bars: bool = False) -> None:
        self.client = DatafeedClient(url, streams=PATIENT)
        self.symbol = symbol
        self.bars = bars
        self.updates = self.reconnected = self.gaps = 0
        self.since_reconnected = 0

    def subscribe(self) -> Subscription[models.Bar] | Subscription[models.QuoteData]:
        """The stream it reads."""
        if self.bars:
            return self.client.bars.subscribe(models.BarsSubscription(symbol=self.symbol, resolution="1"))
        return self.client.quotes.subscribe(models.QuotesSubscription(symbols=[], fast_symbols=[self.symbol]))

    async def run(self) -> None:
        """Read until cancelled."""
        async with self.client, self.subscribe() as stream:
            async for event in stream.events():
                match event:
                    case Update():
                        self.updates += 1
                        self.since_reconnected += 1
                    case Reconnected():
                        self.reconnected += 1
                        self.since_reconnected = 0
                    case Gap():
                        self.gaps += 1


@asynccontextmanager
async def reading(readers: list[Reader]) -> AsyncIterator[None]:
    """The readers at work; one that fails fails the test."""
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    try:
        yield
        failed = [task for task in tasks if task.done()]
        assert not failed, failed[0].exception()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition, in the event loop of the clients."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"timed out waiting for {what}")


def statistics(project: Project) -> dict[str, Any]:
    """The WebSocket statistics of the datafeed."""
    answer: dict[str, Any] = project.get("/api/v1/datafeed/ws-stats").json()
    return answer


@pytest.mark.long
def test_G04_W03_200_clients_resume_by_themselves_after_a_restart_each_topic_once(project: Project) -> None:
    project.write()
    project.up()
    symbols = [SYMBOL, "EURUSD", "ES", "AAPL"]
    readers = [Reader(project.url, symbols[number % len(symbols)]) for number in range(CLIENTS)]

    async def play() -> None:
        async with reading(readers):
            await until(lambda: all(reader.updates for reader in readers), "a first update for everybody")
            assert statistics(project)["topics"] == len(symbols)
            done = await asyncio.to_thread(project.supervisorctl, "restart", "datafeed:*")
            assert "started" in done.stdout, done.stdout + done.stderr
            await until(
                lambda: all(reader.reconnected and reader.since_reconnected for reader in readers),
                "everybody to be back with an update",
            )
            after = await asyncio.to_thread(statistics, project)
            assert (after["subscriptions"], after["topics"]) == (CLIENTS, len(symbols))
            # The newest quote of each symbol comes with the subscription: nothing is missed.
            assert not any(reader.gaps for reader in readers)

    asyncio.run(play())
    wait_until(lambda: statistics(project)["connections"] <= LINKS, what="the server to see them go")
    left = statistics(project)
    assert (left["subscriptions"], left["topics"]) == (0, 0)


@pytest.mark.long
def test_G04_a_client_survives_a_crash_of_the_server(project: Project) -> None:
    project.write()
    project.up()
    reader = Reader(project.url, SYMBOL, bars=True)

    async def play() -> None:
        async with reading([reader]):
            await until(lambda: reader.updates > 1, "updates")
            os.kill(project.pids()["datafeed:datafeed-0"], signal.SIGKILL)
            await until(lambda: reader.reconnected == 1 and reader.since_reconnected > 1, "updates after the crash")
            # Bars do not replace each other, so the reader is told that some may be missing.
            assert reader.gaps == 1

    asyncio.run(play())


async def read_to_the_end(events: AsyncIterator[object]) -> None:
    """Read until the stream fails."""
    async with asyncio.timeout(60):
        async for _ in events:
            pass


@pytest.mark.long
def test_G04_a_client_of_a_stopped_tree_is_told_and_leaves_nothing(project: Project) -> None:
    project.write()
    project.up()
    left = set[object]()

    async def play() -> None:
        client = DatafeedClient(project.url, streams=StreamPolicy(base=0.05, longest=0.2, give_up_after=1.0))
        request = models.QuotesSubscription(symbols=[], fast_symbols=[SYMBOL])
        async with client, client.quotes.subscribe(request) as stream:
            events = stream.events()
            await anext(events)
            await asyncio.to_thread(project.down)
            with pytest.raises(TransportError, match=str(project.port)):
                await read_to_the_end(events)
        left.update(asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(play())
    assert not left, "the client left tasks behind"
