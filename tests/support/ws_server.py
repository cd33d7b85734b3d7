"""A real server with WebSocket routes, in a thread of the test: TradingServer around a WatchedService."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

from support.ws_service import ROUTES, WatchedService
from websockets.sync.client import ClientConnection, connect

from trading_api.server.options import ServeOptions
from trading_api.server.server import TradingServer
from trading_api.settings import Settings
from trading_api.shared.api.interface import StatusRouter
from trading_api.shared.loading import AnyModule, WsPackage
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.module import Module
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.service import Service
from trading_api.shared.ws import Hub, WebSocketStatistics

T = TypeVar("T")


class NotedService(WatchedService, Service):
    """Notes its shutdown among the calls."""

    async def shutdown(self) -> None:
        self.calls.append("shutdown")


class WatchedModule(Module[NotedService]):
    """A module with the routes of WatchedService."""

    @classmethod
    def folder_name(cls) -> str:
        return "tested"

    def create_service(self, settings: Settings) -> NotedService:  # noqa: ARG002
        return NotedService()


@dataclass(frozen=True)
class WsServer:
    """A running server."""

    port: int
    service: NotedService
    hub: Hub
    server: TradingServer
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/tested/ws"

    def connect(self, *, ping_s: float | None = 20.0) -> ClientConnection:
        """A client of the library `websockets`, which pings by itself every `ping_s` seconds."""
        return connect(self.url, proxy=None, ping_interval=ping_s)

    def run(self, function: Callable[[], T]) -> T:
        """What `function` returns when it is called in the server's event loop."""

        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(60)

    def say(self, name: str, *texts: str, key: str = "") -> None:
        """Publish."""
        self.run(lambda: self.service.say(name, *texts, key=key))

    def statistics(self) -> WebSocketStatistics:
        """The hub's."""
        return self.run(self.hub.statistics)

    def tasks(self) -> int:
        """How many tasks run in the server's loop."""
        return self.run(lambda: len(asyncio.all_tasks()))

    def stop(self) -> None:
        """Stop as SIGTERM does, and wait for the end."""
        self.loop.call_soon_threadsafe(self.server.handle_exit, 15, None)
        self.thread.join(60)
        assert not self.thread.is_alive()


@contextmanager
def ws_server(*, ping_s: float = 20.0, grace_s: float = 3.0) -> Iterator[WsServer]:
    """A server until the end of the block."""
    bound = socket.create_server(("127.0.0.1", 0))
    module = WatchedModule(Settings())
    any_module = cast("AnyModule", module)
    app = ModuleApp(any_module, StatusRouter(any_module, "v1", ("v1",)), WsPackage(ROUTES))
    ready = threading.Event()
    server = TradingServer(ModularApp([app], "/api"), ServeOptions(grace_s=grace_s), ready.set)
    server.config.ws_ping_interval = server.config.ws_ping_timeout = ping_s
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve(sockets=[bound])

    def run() -> None:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    assert app.hub is not None
    running = WsServer(bound.getsockname()[1], module.service, app.hub, server, loops[0], thread)
    try:
        yield running
    finally:
        if thread.is_alive():
            running.stop()
        bound.close()
