"""Clients that ask a backend for all that a datafeed answers, without a pause, and remember whatever went wrong."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from support.waiting import wait_until

SYMBOLS = ["BTCUSD", "EURUSD", "AAPL"]
CLIENTS = 4
_GETS = (
    "/api/v1/datafeed/config",
    "/api/v1/datafeed/search?user_input=A&max_results=5",
    "/api/v1/datafeed/resolve/AAPL",
    "/api/v1/datafeed/bars?symbol=AAPL&resolution=1D&count_back=50",
    "/api/v1/datafeed/health",
)


@dataclass
class RestLoad:
    """What the clients of one load got. `answers` counts by route, `failures` are what was not answered with 200."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def goes_on(self, more: int = 60) -> None:
        """Wait until so many more requests are answered."""
        goal = self.answers.total() + more
        wait_until(lambda: self.answers.total() >= goal, timeout=60, what=f"{more} more answers")

    def run(self) -> None:
        """One client, until the load ends."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as client:
            while not self.ended.is_set():
                for path in _GETS:
                    self._ask(client, "GET", path)
                self._ask(client, "POST", "/api/v1/datafeed/quotes", {"symbols": SYMBOLS})

    def _ask(self, client: httpx.Client, method: str, path: str, body: object = None) -> None:
        what = f"{method} {path.partition('?')[0]}"
        try:
            reply = client.request(method, path, json=body)
        except httpx.HTTPError as error:
            self.failures.append(f"{what}: {error!r}")
            return
        self.answers[what] += 1
        if reply.status_code != 200:
            self.failures.append(f"{what}: {reply.status_code} {reply.text[:200]}")


@contextmanager
def rest_load(url: str) -> Iterator[RestLoad]:
    """A load of GETs and of POSTs that only read, for as long as the block lasts."""
    load = RestLoad(url)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.run) for _ in range(CLIENTS)]
        try:
            load.goes_on()
            yield load
        finally:
            load.ended.set()
        for client in clients:
            client.result(60)
