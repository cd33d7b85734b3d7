"""A real server of a module that needs a user, in a thread of the test."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from support.user_module import owned_app

from trading_api.server.options import ServeOptions
from trading_api.server.server import TradingServer
from trading_api.settings import Settings
from trading_api.shared.edge import origins_of
from trading_api.shared.modular_app import ModularApp


@contextmanager
def user_server(settings: Settings) -> Iterator[str]:
    """Its address, as in 127.0.0.1:8000, until the end of the block."""
    bound = socket.create_server(("127.0.0.1", 0))
    app = ModularApp([owned_app(settings)], "/api", origins=origins_of(settings))
    ready = threading.Event()
    server = TradingServer(app, ServeOptions(), ready.set)
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
    try:
        yield f"127.0.0.1:{bound.getsockname()[1]}"
    finally:
        loops[0].call_soon_threadsafe(server.handle_exit, 15, None)
        thread.join(60)
        bound.close()
        assert not thread.is_alive()
