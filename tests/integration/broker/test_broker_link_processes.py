"""The broker's link with real processes: a datafeed that is late, goes, hangs and comes back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support.live_client import LiveClient, live_client
from support.ports import free_block
from support.waiting import wait_until

pytestmark = pytest.mark.integration

UP, CONNECTING, DOWN, ERROR = 1, 2, 3, 4


def start(folder: Path, module: str, port: int, **environ: str) -> subprocess.Popen[bytes]:
    """A server process of one module."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("TRADING_", "ENABLED_"))}
    argv = [sys.executable, "-P", "-m", "trading_api", "serve", "--port", str(port)]
    with (folder / f"{module}.log").open("ab") as log:
        return subprocess.Popen(
            argv, cwd=folder, env={**kept, "ENABLED_MODULES": module, **environ}, stdout=log, stderr=log
        )


@contextmanager
def process(folder: Path, module: str, port: int, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """The same, ended whatever happens; not waited for."""
    started = start(folder, module, port, **environ)
    try:
        yield started
    finally:
        started.kill()
        started.wait(60)


class Broker:
    """A running broker, and a client that follows its connection."""

    def __init__(self, port: int, client: LiveClient, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.client = client
        self.process = process
        self.topic = client.subscribe("broker-connection", {"accountId": "ACCOUNT-01"})

    def until(self, status: int, timeout: float = 60.0) -> str:
        """Wait for a status; its message."""
        message: str = self.client.update(self.topic, timeout, status=status)["message"]
        return message

    def health(self) -> str:
        url = f"http://127.0.0.1:{self.port}/api/v1/broker/health"
        status: str = httpx.get(url, trust_env=False).json()["status"]
        return status


@contextmanager
def broker(folder: Path, **environ: str) -> Iterator[Broker]:
    port = free_block(1)
    with process(folder, "broker", port, **environ) as started:
        wait_until(lambda: _serves(port) or started.poll() is not None, what="the broker to serve")
        with live_client(port, "broker") as client:
            yield Broker(port, client, started)


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v1/core/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def quotes_url(port: int, path: str = "/api/v1/datafeed/ws") -> str:
    return f"ws://127.0.0.1:{port}{path}"


@pytest.mark.long
def test_D01_the_broker_follows_a_datafeed_that_comes_late_stops_hangs_and_returns(tmp_path: Path) -> None:
    port = free_block(1)
    with broker(tmp_path, TRADING_QUOTES_URL=quotes_url(port)) as followed:
        assert followed.topic == 'broker-connection:{"accountId":"ACCOUNT-01"}', "echoed as asked"
        assert followed.until(CONNECTING)
        wait_until(lambda: followed.health() == "degraded", what="health to tell what the link awaits")
        assert followed.until(DOWN) == "The datafeed cannot be reached."
        assert followed.health() == "degraded"
        with process(tmp_path, "datafeed", port) as datafeed:
            followed.until(UP)
            assert followed.health() == "ok"
            datafeed.send_signal(signal.SIGTERM)
            assert followed.until(DOWN) == "The datafeed restarts."
            assert datafeed.wait(60) == 0
        with process(tmp_path, "datafeed", port) as datafeed:
            followed.until(UP)
            datafeed.send_signal(signal.SIGSTOP)
            hung = time.monotonic()
            assert followed.until(DOWN) == "The datafeed stopped answering."
            assert time.monotonic() - hung < 45
            datafeed.send_signal(signal.SIGCONT)
            followed.until(UP)
            datafeed.kill()
            assert followed.until(DOWN) == "The link to the datafeed broke."


def test_P05_a_broker_whose_datafeed_hangs_stops_promptly(tmp_path: Path) -> None:
    port = free_block(1)
    with (
        process(tmp_path, "datafeed", port) as datafeed,
        broker(tmp_path, TRADING_QUOTES_URL=quotes_url(port)) as followed,
    ):
        followed.until(UP)
        datafeed.send_signal(signal.SIGSTOP)
        followed.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert followed.process.wait(60) == 0
        assert time.monotonic() - begun < 20
        assert followed.client.closed()[0] == 1012
        datafeed.send_signal(signal.SIGCONT)
    assert "Traceback" not in (tmp_path / "broker.log").read_text()
    assert "ERROR" not in (tmp_path / "broker.log").read_text()


@pytest.mark.long
def test_D01_an_address_without_a_datafeed_is_an_error(tmp_path: Path) -> None:
    port = free_block(1)
    with (
        process(tmp_path, "core", port),
        broker(tmp_path, TRADING_QUOTES_URL=quotes_url(port)) as followed,
    ):
        assert followed.until(ERROR).startswith("The datafeed refuses the link: HTTP 4")


@pytest.mark.long
def test_D01_the_second_instance_serves_when_the_first_is_away(tmp_path: Path) -> None:
    away, there = free_block(1), free_block(1)
    urls = f"{quotes_url(away)},{quotes_url(there)}"
    with process(tmp_path, "datafeed", there), broker(tmp_path, TRADING_QUOTES_URL=urls) as followed:
        followed.until(UP)


def test_M02_without_a_datafeed_the_broker_says_so_and_is_well(tmp_path: Path) -> None:
    with broker(tmp_path) as followed:
        assert followed.until(DOWN) == "No datafeed is deployed, so there are no quotes to trade on."
        assert followed.health() == "ok"


@pytest.mark.long
def test_M01_in_one_process_the_broker_is_linked_to_itself(tmp_path: Path) -> None:
    with broker(tmp_path, ENABLED_MODULES="broker,datafeed") as followed:
        followed.until(UP)
        followed.process.send_signal(signal.SIGTERM)
        assert followed.process.wait(60) == 0
    assert "WARNING" not in (tmp_path / "broker.log").read_text(), "a clean stop warns of nothing"


def test_C02_a_url_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    started = start(tmp_path, "broker", free_block(1), TRADING_QUOTES_URL="http://secret@host")
    assert started.wait(60) != 0
    log = (tmp_path / "broker.log").read_text()
    assert "TRADING_QUOTES_URL: not a WebSocket URL" in log
    assert "secret" not in log
