"""Datafeed processes that share a store and a bus."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from support.ports import free_block
from support.waiting import wait_until

Json = dict[str, Any]


class Instance:
    """One server process; `restart` starts it again on its port."""

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str]) -> None:
        self.port = free_block(1)
        self.log = folder / f"{name}.log"
        self._folder = folder
        kept = {key: text for key, text in os.environ.items() if not key.startswith(("TRADING_", "ENABLED_"))}
        self._environment = {**kept, "ENABLED_MODULES": "datafeed", **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [sys.executable, "-P", "-m", "trading_api", "serve", "--port", str(self.port)]
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                argv, cwd=self._folder, env=self._environment, stdout=output, stderr=output
            )
        wait_until(lambda: self._ended() or "serving" in self.text(), timeout=60, what="a datafeed to serve")
        assert not self._ended(), self.text()

    def kill(self) -> None:
        """As `kill -9` does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)
        self._process = None

    def stop(self) -> None:
        """In good order, if it still runs."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(60)
        self._process = None
        assert code == 0, self.text()

    def text(self) -> str:
        return self.log.read_text()

    def quotes(self, *symbols: str) -> list[Json]:
        reply = self._send("POST", "quotes", {"symbols": list(symbols)})
        found: list[Json] = reply.raise_for_status().json()
        return found

    def push(self, *quotes: Json) -> httpx.Response:
        return self._send("POST", "debug/quotes", list(quotes))

    def get(self, path: str, **query: str | int) -> Json:
        url = f"http://127.0.0.1:{self.port}/api/v1/datafeed/{path}"
        found: Json = httpx.get(url, params=query, trust_env=False).raise_for_status().json()
        return found

    def _send(self, method: str, path: str, body: object) -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}/api/v1/datafeed/{path}"
        return httpx.request(method, url, json=body, trust_env=False, timeout=60)

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


@contextmanager
def instances(folder: Path, count: int, **environment: str) -> Iterator[list[Instance]]:
    """Started, with these variables besides the usual ones; all stopped in the end."""
    found = [Instance(folder, f"datafeed-{number}", environment) for number in range(count)]
    try:
        for each in found:
            each.start()
        yield found
    finally:
        for each in found:
            each.stop()
