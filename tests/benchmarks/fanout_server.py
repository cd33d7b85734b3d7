"""The servers that the fan-out benchmark compares, each a process of its own: python fanout_server.py KIND PORT.

Orders come on standard input, one a line; each is answered with one line of JSON on standard output:
`burst COUNT` publishes as fast as it can, `tick RATE SECONDS` at RATE updates a second, `state` tells what is there.
"""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "backend" / "src")]

import uvicorn  # noqa: E402 (the path comes first)
import uvloop  # noqa: E402
from pydantic import BaseModel  # noqa: E402
from starlette.types import Receive, Scope, Send  # noqa: E402
from websockets.asyncio.server import ServerConnection, broadcast, serve  # noqa: E402

from trading_api.server.options import ServeOptions  # noqa: E402
from trading_api.server.server import TradingServer  # noqa: E402
from trading_api.settings import Settings  # noqa: E402
from trading_api.shared.api.interface import StatusRouter  # noqa: E402
from trading_api.shared.loading import AnyModule, WsPackage  # noqa: E402
from trading_api.shared.modular_app import ModularApp  # noqa: E402
from trading_api.shared.module import Module  # noqa: E402
from trading_api.shared.module_app import ModuleApp  # noqa: E402
from trading_api.shared.service import Service  # noqa: E402
from trading_api.shared.ws import AnyTopic, WsRoute  # noqa: E402

FRAME_BYTES = 350
_TOPIC = 'orders:{"name":"x"}'

Publish = Callable[[], Awaitable[None]]
State = Callable[[], dict[str, int]]


class Request(BaseModel):
    name: str


class Tick(BaseModel):
    t: int
    pad: str


class Orders(WsRoute[Request, Tick]):
    route = "orders"
    request_type = Request
    data_type = Tick


def prepared(pad: str) -> str:
    """An update frame as the framework makes it; `t` is the time in ns of a clock that all processes share."""
    data = f'{{"t":{time.monotonic_ns()},"pad":"{pad}"}}'
    return f'{{"type":"orders.update","payload":{{"topic":{json.dumps(_TOPIC)},"payload":{data}}}}}'


PAD = "x" * (FRAME_BYTES - len(prepared("")))


class TopicService(Service):
    """Keeps the one topic there is."""

    topic: AnyTopic | None = None

    async def create_topic(self, topic: AnyTopic) -> None:
        self.topic = topic

    async def remove_topic(self, topic: AnyTopic) -> None:  # noqa: ARG002
        self.topic = None

    async def publish(self) -> None:
        assert self.topic is not None
        self.topic.publish(Tick(t=time.monotonic_ns(), pad=PAD))


class TopicModule(Module[TopicService]):
    """A module that nginx finds under the name of one that it knows."""

    @classmethod
    def folder_name(cls) -> str:
        return "broker"

    def create_service(self, settings: Settings) -> TopicService:  # noqa: ARG002
        return TopicService()


async def run_ours(bound: socket.socket) -> None:
    """The framework, in the server that ships."""
    module = TopicModule(Settings())
    any_module = cast("AnyModule", module)
    app = ModuleApp(any_module, StatusRouter(any_module, "v1", ("v1",)), WsPackage((Orders,)))
    hub = app.hub
    assert hub is not None

    def state() -> dict[str, int]:
        waiting = max((len(connection.outbox) for connection in hub.connections), default=0)
        return {**hub.statistics().model_dump(), "waiting": waiting}

    server = TradingServer(ModularApp([app], "/api"), ServeOptions(), lambda: print("{}", flush=True))
    # The clients here count bytes and answer no pings.
    server.config.ws_ping_interval = None
    orders = asyncio.create_task(obey(module.service.publish, state))
    await server.serve(sockets=[bound])
    orders.cancel()


async def run_bare(bound: socket.socket) -> None:
    """The floor: a loop over ASGI sends of one prepared string."""
    sends: dict[int, Send] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "text": '{"payload":{"status":"ok"}}'})
        sends[id(send)] = send
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            del sends[id(send)]

    async def publish() -> None:
        message = {"type": "websocket.send", "text": prepared(PAD)}
        for send in tuple(sends.values()):
            await send(message)

    config = uvicorn.Config(
        app, ws="websockets-sansio", lifespan="off", log_config=None, access_log=False, ws_per_message_deflate=False
    )
    config.ws_ping_interval = None
    server = uvicorn.Server(config)
    orders = asyncio.create_task(obey(publish, lambda: {"connections": len(sends)}))
    print("{}", flush=True)
    await server.serve(sockets=[bound])
    orders.cancel()


async def run_broadcast(bound: socket.socket) -> None:
    """`websockets.broadcast`, which also makes a frame for each connection."""
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"payload":{"status":"ok"}}')
        connections.add(connection)
        try:
            await connection.wait_closed()
        finally:
            connections.discard(connection)

    async def publish() -> None:
        broadcast(connections, prepared(PAD))

    async with serve(handle, sock=bound, compression=None, ping_interval=None) as server:
        orders = asyncio.create_task(obey(publish, lambda: {"connections": len(connections)}))
        print("{}", flush=True)
        await server.serve_forever()
        orders.cancel()


async def obey(publish: Publish, state: State) -> None:
    """Follow the orders on standard input until it ends; then end the process."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        what, *numbers = line.decode().split()
        began, cpu = time.perf_counter(), time.process_time()
        if what == "burst":
            await burst(publish, int(numbers[0]))
        elif what == "tick":
            await tick(publish, float(numbers[0]), float(numbers[1]))
        used = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
        print(json.dumps({**used, **state(), "tasks": len(asyncio.all_tasks())}), flush=True)
    os._exit(0)


async def burst(publish: Publish, count: int) -> None:
    """As fast as it goes; the loop has its turn after each, as it has in life."""
    for _ in range(count):
        await publish()
        await asyncio.sleep(0)


async def tick(publish: Publish, rate: float, seconds: float) -> None:
    """At a steady rate."""
    start = time.perf_counter()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        await publish()


KINDS: dict[str, Callable[[socket.socket], Awaitable[None]]] = {
    "ours": run_ours,
    "bare": run_bare,
    "broadcast": run_broadcast,
}


def main(arguments: Iterable[str]) -> None:
    kind, port = arguments
    bound = socket.create_server(("127.0.0.1", int(port)), backlog=2048)
    bound.setblocking(False)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(cast("Any", KINDS[kind](bound)))


if __name__ == "__main__":
    main(sys.argv[1:])
