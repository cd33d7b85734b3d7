"""A datafeed that does what the test says, also wrongly: its REST routes and its WebSocket on one port."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from websockets.frames import Frame, Opcode

Json = dict[str, Any]
PATH = "/api/v1/datafeed"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HOUR = 3_600_000


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Line:
    """One WebSocket client."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.symbols: list[str] = []
        self.frames: list[Json] = []

    def send(self, data: str | bytes, opcode: Opcode = Opcode.TEXT) -> None:
        payload = data.encode() if isinstance(data, str) else data
        self.writer.write(Frame(opcode, payload).serialize(mask=False))

    def send_json(self, value: object) -> None:
        self.send(json.dumps(value))


class ScriptedDatafeed:
    """`hangs`: connections are accepted, and nothing is ever said; `hangs_on`: not to paths that begin so.

    `garbage`: what HTTP answers instead.
    """

    def __init__(self) -> None:
        self.port = 0
        self.instruments: dict[str, Json] = {}
        self.hours: dict[str, tuple[int, int]] = {}
        self.quotes: dict[str, Json | None] = {}
        self.clock: Callable[[], int] = wall_ms
        self.asked: list[str] = []
        self.lines: list[Line] = []
        self.hangs = False
        self.hangs_on: tuple[str, ...] = ()
        self.catalogue = "first"
        self.garbage = b""
        self.status = 0
        self.refuses: Callable[[str], str | None] = lambda _symbol: None
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{PATH}/ws"

    def list_symbol(self, name: str, bid: float | None = None, ask: float | None = None, **values: object) -> None:
        """A symbol that trades now, and its quote."""
        self.instruments[name] = {"name": name, "minmov": 1, "pricescale": 100, "volume_precision": 4}
        now = self.clock()
        self.hours[name] = (now - HOUR, now + HOUR)
        self.quotes[name] = None if bid is None else {"bid": bid, "ask": ask, **values}

    def push(self, name: str, bid: float, ask: float, **values: object) -> None:
        """A new quote, for all who are subscribed."""
        self.quotes[name] = {"bid": bid, "ask": ask, **values}
        self.tell(name)

    def tell(self, name: str) -> None:
        for line in self.lines:
            if name in line.symbols:
                line.send_json(self._update(name))

    def count(self, start: str) -> int:
        """How many requests began so: `GET /resolve`."""
        return sum(each.startswith(start) for each in self.asked)

    async def start(self) -> None:
        """Listen, on the port of the last time."""
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As kill -9 does."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()
        await asyncio.gather(*self._serving, return_exceptions=True)
        # What was accepted just now comes to `_begin` a few turns of the loop later, and is gone another one later.
        for _ in range(5):
            await asyncio.sleep(0)

    def drop(self) -> None:
        """Break every connection off."""
        for writer in tuple(self._writers):
            writer.transport.abort()
        for task in tuple(self._serving):
            task.cancel()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        self._writers.add(writer)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    while self.hangs:
                        await asyncio.sleep(0.01)
                    method, path, _ = head.split(" ", 2)
                    if path.endswith("/ws"):
                        await self._talk(head, reader, writer)
                        return
                    headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
                    body = await reader.readexactly(int(headers.get("content-length", 0)))
                    self.asked.append(f"{method} {path.removeprefix(PATH)}")
                    while path.removeprefix(PATH).startswith(self.hangs_on):
                        await asyncio.sleep(0.01)
                    writer.write(self.garbage or self._answer(path.removeprefix(PATH), body))
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def _answer(self, path: str, body: bytes) -> bytes:
        status, value = self._value(path, body)
        text = json.dumps(value).encode()
        return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            self.status or status,
            len(text),
            text,
        )

    def _value(self, path: str, body: bytes) -> tuple[int, object]:
        if path == "/quotes":
            return 200, [self._quote(symbol) for symbol in json.loads(body)["symbols"]]
        route, name = path[1:].split("/")
        known = unquote(name).rpartition(":")[2].upper()
        if known not in self.instruments:
            return 404, {"status": 404, "detail": "Symbol not found"}
        if route == "resolve":
            return 200, self.instruments[known]
        start, end = self.hours[known]
        now = self.clock()
        told = {"symbol": known, "isOpen": start <= now < end, "start": start, "end": end, "time": now}
        return 200, {**told, "catalogue": self.catalogue}

    def _quote(self, name: str) -> Json:
        values = self.quotes.get(name)
        return {"s": "ok", "n": name, "v": values} if values else {"s": "error", "n": name, "v": {}}

    def _update(self, name: str) -> Json:
        return {"type": "quotes.update", "payload": {"topic": "quotes:…", "payload": self._quote(name)}}

    async def _talk(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (key,) = (line.split(": ")[1] for line in head.splitlines() if line.lower().startswith("sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade"
        writer.write(f"HTTP/1.1 101 X\r\n{upgrade}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        line = Line(writer)
        self.lines.append(line)
        try:
            while True:
                opcode, data = await _frame(reader)
                while self.hangs:
                    await asyncio.sleep(0.01)
                if opcode == Opcode.CLOSE:
                    line.send(data, Opcode.CLOSE)
                    return
                if opcode == Opcode.PING:
                    line.send(data, Opcode.PONG)
                if opcode == Opcode.TEXT:
                    self._take(line, json.loads(data))
        finally:
            self.lines.remove(line)

    def _take(self, line: Line, frame: Json) -> None:
        line.frames.append(frame)
        (symbol,) = frame["payload"]["fast_symbols"]
        refusal = self.refuses(symbol)
        if refusal is not None:
            line.send_json({"type": "error", "id": frame["id"], "payload": {"code": refusal, "detail": "no"}})
            return
        begins = frame["type"] == "quotes.subscribe"
        if begins:
            line.symbols.append(symbol)
        else:
            line.symbols.remove(symbol)
        line.send_json({"type": f"{frame['type']}.response", "id": frame["id"], "payload": {"status": "ok"}})
        if begins:
            line.send_json(self._update(symbol))


async def _frame(reader: asyncio.StreamReader) -> tuple[Opcode, bytes]:
    """A client's frame: short or of two bytes of length, and masked."""
    first, second = await reader.readexactly(2)
    length = second & 127
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    mask = await reader.readexactly(4)
    data = await reader.readexactly(length)
    return Opcode(first & 15), bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


@asynccontextmanager
async def scripted_datafeed() -> AsyncIterator[ScriptedDatafeed]:
    """One that listens."""
    datafeed = ScriptedDatafeed()
    await datafeed.start()
    try:
        yield datafeed
    finally:
        await datafeed.stop()
