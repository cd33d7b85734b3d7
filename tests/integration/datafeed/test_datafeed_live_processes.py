"""Quotes and live bars of real servers: two processes that know nothing of each other tell the same."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from support.live_client import Json, LiveClient, live_client
from support.ports import free_block
from support.waiting import wait_until

pytestmark = pytest.mark.integration


@contextmanager
def datafeed(folder: Path, hash_seed: str) -> Iterator[int]:
    """A datafeed process in a folder of its own, on the port it yields."""
    folder.mkdir()
    port = free_block(1)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("TRADING_", "ENABLED_"))}
    environment = {**kept, "ENABLED_MODULES": "datafeed", "PYTHONHASHSEED": hash_seed}
    argv = [sys.executable, "-P", "-m", "trading_api", "serve", "--port", str(port)]
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(argv, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or "serving" in log.read_text(), what="the datafeed to serve")
        assert process.poll() is None, log.read_text()
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0, log.read_text()
    assert "ERROR" not in log.read_text()


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Two datafeeds, each with a store and a hash seed of its own."""
    folder = tmp_path_factory.mktemp("live")
    with ExitStack() as stack:
        first, second = (stack.enter_context(datafeed(folder / seed, seed)) for seed in ("1", "2"))
        yield first, second


def updates(client: LiveClient, topic: str, count: int) -> list[Json]:
    return [client.update(topic) for _ in range(count)]


def test_D02_two_processes_stream_the_same_bars(ports: tuple[int, int]) -> None:
    """Each second both tell a bar; those told of one second are equal, known by their volume, which only grows."""
    told: list[list[Json]] = []
    with ExitStack() as stack:
        clients = [stack.enter_context(live_client(port, "datafeed")) for port in ports]
        topics = [client.subscribe("bars", {"symbol": "BTCUSD", "resolution": "1D"}) for client in clients]
        told = [updates(client, topic, 5) for client, topic in zip(clients, topics, strict=True)]
    volumes = [{bar["volume"]: bar for bar in bars} for bars in told]
    common = volumes[0].keys() & volumes[1].keys()
    assert len(common) >= 3
    assert all(volumes[0][volume] == volumes[1][volume] for volume in common)


def test_D02_two_processes_quote_the_same(ports: tuple[int, int]) -> None:
    symbols = ["BTCUSD", "AAPL", "EURUSD", "ES", "nope"]

    def ask(port: int) -> list[Json]:
        url = f"http://127.0.0.1:{port}/api/v1/datafeed/quotes"
        answer: list[Json] = httpx.post(url, json={"symbols": symbols}, trust_env=False).raise_for_status().json()
        return answer

    # Asked in the same second they agree; a second may end between the two questions.
    quotes = wait_until(lambda: _equal(ask(ports[0]), ask(ports[1])), what="two quotes of one second")
    assert [quote["s"] for quote in quotes] == ["ok", "ok", "ok", "ok", "error"]
    assert quotes[4] == {"s": "error", "n": "nope", "v": {}}


def _equal(one: list[Json], other: list[Json]) -> list[Json]:
    return one if one == other else []


def test_D01_fast_quotes_stream_as_they_change(ports: tuple[int, int]) -> None:
    with live_client(ports[0], "datafeed") as client:
        topic = client.subscribe("quotes", {"symbols": ["AAPL"], "fast_symbols": ["BTCUSD"]})
        first, later = (client.update(topic, n="BTCUSD") for _ in range(2))
        assert first["v"] != later["v"]
        assert later["v"]["bid"] < later["v"]["ask"]
        assert later["v"]["volume"] > first["v"]["volume"]


def test_D01_a_request_that_makes_no_sense_is_a_422_problem(ports: tuple[int, int]) -> None:
    url = f"http://127.0.0.1:{ports[0]}/api/v1/datafeed/quotes"
    bodies: list[Json] = [{}, {"symbols": []}, {"symbols": ["A"], "more": 1}, {"symbols": ["A"] * 201}]
    for body in bodies:
        reply = httpx.post(url, json=body, trust_env=False)
        assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")


def test_W03_topics_end_with_their_clients(ports: tuple[int, int]) -> None:
    def topics() -> int:
        url = f"http://127.0.0.1:{ports[0]}/api/v1/datafeed/ws-stats"
        count: int = httpx.get(url, trust_env=False).json()["topics"]
        return count

    with live_client(ports[0], "datafeed") as client:
        client.subscribe("quotes", {"symbols": ["AAPL"]})
        client.subscribe("bars", {"symbol": "ES", "resolution": "5"})
        assert topics() == 2
    wait_until(lambda: topics() == 0, what="no topic")
