"""D02, N04: two or three instances of the datafeed are told from one by nothing, also while one is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from support.gateway_topology import import_example
from support.instance_load import SYMBOLS, rest_load
from support.project import Project, project_in
from support.waiting import wait_until

from trading_api.clients import DatafeedClient
from trading_api.clients.runtime import Reconnected, StreamPolicy, Update
from trading_api.modules.datafeed.client_generated import datafeed_v1_models as models

pytestmark = pytest.mark.integration

# Always open, so there are updates whenever the test runs.
SYMBOL = "BTCUSD"
READERS = 12
PATIENT = StreamPolicy(base=0.1, longest=1.0)


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.long)])
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A tree with so many datafeeds, and the example's bars in their store."""
    with project_in(tmp_path_factory.mktemp("instances") / "project") as project:
        project.write(project.standard(datafeed={"instances": request.param}))
        project.up()
        import_example(project)
        yield project


def _instances(project: Project) -> list[str]:
    return sorted(name for name in project.pids() if name.startswith("datafeed:"))


def _urls(project: Project) -> list[str]:
    """Every instance's own address, past the gateway."""
    return [f"http://127.0.0.1:{project.port + 4 + index}" for index in range(len(_instances(project)))]


def _is_back(project: Project, name: str, former: int) -> bool:
    row = project.process(name)
    return bool(row["pid"] not in (0, former) and row["health"] == "healthy")


def _kill(project: Project, name: str) -> int:
    pid = project.pids()[name]
    os.kill(pid, signal.SIGKILL)
    return pid


def test_N04_no_rest_answer_is_lost_while_instances_are_killed_in_turn(deployed: Project) -> None:
    with rest_load(deployed.url) as load:
        for name in _instances(deployed):
            killed = _kill(deployed, name)
            load.goes_on()
            wait_until(lambda n=name, k=killed: _is_back(deployed, n, k), timeout=60, what=f"{name} to be back")  # type: ignore[misc]
            load.goes_on()
    assert load.failures == []
    assert load.answers["POST /api/v1/datafeed/quotes"] > 0


class Reader:
    """A client that streams, and what it was told. A value that is older than one before it is a mistake."""

    def __init__(self, url: str, *, bars: bool) -> None:
        self.client = DatafeedClient(url, streams=PATIENT)
        self.bars = bars
        self.updates = self.since_reconnected = self.reconnected = 0
        self.times = list[int]()

    async def run(self) -> None:
        """Read until cancelled."""
        async with self.client:
            await (self._read_bars() if self.bars else self._read_quotes())

    async def _read_bars(self) -> None:
        request = models.BarsSubscription(symbol=SYMBOL, resolution="1")
        async with self.client.bars.subscribe(request) as stream:
            async for event in stream.events():
                self._note(event)
                if isinstance(event, Update):
                    self.times.append(event.data.time)

    async def _read_quotes(self) -> None:
        request = models.QuotesSubscription(symbols=[], fast_symbols=[SYMBOL])
        async with self.client.quotes.subscribe(request) as stream:
            async for event in stream.events():
                self._note(event)

    def _note(self, event: object) -> None:
        if isinstance(event, Update):
            self.updates += 1
            self.since_reconnected += 1
        elif isinstance(event, Reconnected):
            self.reconnected += 1
            self.since_reconnected = 0


async def _until(condition: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)
    assert condition(), what


def test_N04_streams_of_a_killed_instance_resume_on_another(deployed: Project) -> None:
    readers = [Reader(deployed.url, bars=bool(index % 2)) for index in range(READERS)]

    async def play() -> None:
        tasks = [asyncio.create_task(reader.run()) for reader in readers]
        try:
            await _until(lambda: all(reader.updates for reader in readers), "updates for everybody")
            former = await asyncio.to_thread(_kill, deployed, "datafeed:datafeed-0")
            # nginx spreads connections evenly, so some were on it, and nobody else noticed.
            await _until(lambda: any(reader.reconnected for reader in readers), "somebody to come back")
            await _until(
                lambda: all(reader.since_reconnected for reader in readers if reader.reconnected), "updates again"
            )
            counts = [reader.updates for reader in readers]
            await _until(
                lambda: all(reader.updates > count for reader, count in zip(readers, counts, strict=True)),
                "updates for everybody after the kill",
            )
            assert 0 < sum(reader.reconnected > 0 for reader in readers) < READERS
            await asyncio.to_thread(
                wait_until,
                lambda: _is_back(deployed, "datafeed:datafeed-0", former),
                timeout=30,
                what="the instance to be back",
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(play())
    assert not any(task_times != sorted(task_times) for task_times in (reader.times for reader in readers))


def _quotes(url: str) -> Any:
    return httpx.post(f"{url}/api/v1/datafeed/quotes", json={"symbols": SYMBOLS}, timeout=60, trust_env=False).json()


def _agree(urls: list[str]) -> bool:
    """Whether all gave the same, known from the first giving the same before and after: a tick may come between."""
    before, others, after = _quotes(urls[0]), [_quotes(url) for url in urls[1:]], _quotes(urls[0])
    if before != after:
        return False
    assert all(other == before for other in others), "instances differ at the same time"
    return True


def test_D02_every_instance_quotes_the_same_at_the_same_time(deployed: Project) -> None:
    urls = _urls(deployed)
    for _ in range(5):
        wait_until(lambda: _agree(urls), timeout=60, what="a moment without a tick")


@pytest.mark.parametrize(
    "path",
    [
        "config",
        "search?user_input=&max_results=100",
        "resolve/AAPL",
        "bars?symbol=AAPL&resolution=1D&count_back=500",
        "bars?symbol=NOPE&resolution=1D&count_back=5",
    ],
)
def test_D02_every_instance_answers_the_same(deployed: Project, path: str) -> None:
    answers = [httpx.get(f"{url}/api/v1/datafeed/{path}", timeout=60, trust_env=False) for url in _urls(deployed)]
    assert len({answer.status_code for answer in answers}) == 1
    documents = [answer.json() for answer in answers]
    for document in documents:
        if isinstance(document, dict):
            document.pop("request_id", None)
    assert all(document == documents[0] for document in documents)


def test_D02_an_import_is_seen_by_every_instance_at_once(deployed: Project) -> None:
    rows = "Date,Open,High,Low,Close,Volume\n2024-01-02,1,3,1,2,10\n"
    (deployed.folder / "late.csv").write_text(rows, encoding="utf-8")

    argv = [sys.executable, "-P", "-m", "trading_api", "import", "late.csv", "--symbol", "MSFT", "--resolution", "1D"]
    done = subprocess.run(argv, cwd=deployed.folder, env=deployed.env(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for url in _urls(deployed):
        reply = httpx.get(f"{url}/api/v1/datafeed/bars?symbol=MSFT&resolution=1D&count_back=5", trust_env=False)
        assert [bar["close"] for bar in reply.json()["bars"]] == [2]
