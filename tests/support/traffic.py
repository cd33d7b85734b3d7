"""A client that asks without a pause, to see whether a change loses requests.

Each request has a connection of its own: when nginx reloads it closes those that are idle, and one that is just then
about to carry a request is the client's to repeat, as HTTP has it.
"""

import threading
from types import TracebackType

import httpx


class Traffic:
    """Asks `url` in a thread of its own while the `with` block runs; `failures` are what was not answered with 200."""

    def __init__(self, url: str) -> None:
        self.count = 0
        self.failures: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        with httpx.Client(timeout=30.0, trust_env=False, headers={"Connection": "close"}) as client:
            while not self._over.is_set():
                self.count += 1
                self._ask(client)

    def _ask(self, client: httpx.Client) -> None:
        try:
            status = client.get(self._url).status_code
        except httpx.HTTPError as error:
            self.failures.append(repr(error))
            return
        if status != 200:
            self.failures.append(f"answered {status}")
