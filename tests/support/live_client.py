"""A client of the WebSocket routes of a running backend."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

Json = dict[str, Any]


class LiveClient:
    """One connection. Frames that a wait passes over are kept in `seen`, in the order in which they came."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[Json] = []

    def send(self, frame: Json | str) -> None:
        """Send a frame, or a text as it is."""
        self.connection.send(frame if isinstance(frame, str) else json.dumps(frame))

    def next(self, timeout: float = 60.0) -> Json:
        """The next frame. Raises TimeoutError."""
        frame: Json = json.loads(self.connection.recv(timeout=timeout))
        self.seen.append(frame)
        return frame

    def wait(self, matches: Callable[[Json], bool], timeout: float = 60.0) -> Json:
        """The next frame that matches. Raises TimeoutError when it does not come in time."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self.next(max(0.0, deadline - time.monotonic()))
            if matches(frame):
                return frame

    def ask(self, kind: str, payload: object, id: str | int = "1") -> Json:  # noqa: A002 - the frame's own name
        """Send a request; its reply, known by the id."""
        self.send({"type": kind, "payload": payload, "id": id})
        return self.wait(lambda frame: frame.get("id") == id)

    def subscribe(self, route: str, payload: object) -> str:
        """Subscribe; the topic, once it is confirmed."""
        reply = self.ask(f"{route}.subscribe", payload, id=f"{route}-{len(self.seen)}")
        assert reply["type"] == f"{route}.subscribe.response", reply
        topic: str = reply["payload"]["topic"]
        return topic

    def update(self, topic: str, timeout: float = 60.0, **fields: object) -> Json:
        """The payload of the next update of a topic whose fields have these values."""

        def matches(frame: Json) -> bool:
            if not frame["type"].endswith(".update") or frame["payload"]["topic"] != topic:
                return False
            return all(frame["payload"]["payload"].get(name) == value for name, value in fields.items())

        update: Json = self.wait(matches, timeout)["payload"]["payload"]
        return update

    def closed(self, timeout: float = 60.0) -> tuple[int, str]:
        """Close code and reason, once the server has closed."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.next(max(0.0, deadline - time.monotonic()))
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise AssertionError(f"the connection broke: {closed}") from closed
            return closed.rcvd.code, closed.rcvd.reason


@contextmanager
def live_client(port: int, module: str) -> Iterator[LiveClient]:
    """A client of a module's WebSocket on a port of this machine."""
    with connect(f"ws://127.0.0.1:{port}/api/v1/{module}/ws", proxy=None, compression=None) as connection:
        yield LiveClient(connection)
