"""uvicorn's server, with a prompt and bounded stop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trading_api.server.http_protocol import HttpProtocol
from trading_api.server.options import ServeOptions
from trading_api.server.websocket_protocol import WebSocketProtocol
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.ws.limits import DEFAULT_LIMITS

logger = logging.getLogger(__name__)

# How long a connection that was just accepted may take to send its first request once the server stops: a request
# that is already on its way must not be lost to a reload.
_FIRST_REQUEST_S = 0.1
_POLL_S = 0.005
_CANCELLED_S = 0.2
# nginx keeps its upstream connections for 60 s; the side that does not send requests must be the one to wait longer.
_KEEP_ALIVE_S = 75
# A client that is there answers a ping at once; one that is not is found within twice this.
_PING_S = 20.0


class TradingServer(uvicorn.Server):
    """Serves one app on a bound socket, and stops promptly and within its grace when signalled."""

    def __init__(self, app: ModularApp, options: ServeOptions, on_ready: Callable[[], None]) -> None:
        """`on_ready` is called once, when the first request can be served."""
        super().__init__(_config(app))
        self._options = options
        self._on_ready = on_ready
        self._running = app.router.lifespan_context(app)
        self._interrupts = 0
        self._wake: Callable[[], object] = _nothing

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Stop; at the second Ctrl-C without waiting. uvicorn would then die of the signal: this exits with 0."""
        self._interrupts += sig == signal.SIGINT
        self.force_exit = self._interrupts > 1
        self.should_exit = True
        self._wake()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the modules, then listen. Raises what a module's start-up raised, once the others have stopped."""
        await self._running.__aenter__()
        await super().startup(sockets)
        self._on_ready()

    async def main_loop(self) -> None:
        """Wait for a signal; uvicorn's own loop would look for one ten times a second."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(woken.set)
        # A tick of 0 has the base renew the Date header, which is due every second.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), timeout=1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let open requests end, cancel those that do not, then run the shutdown hooks."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        await self._drain()
        await self._cancel_rest()
        try:
            async with asyncio.timeout(self._options.hooks_s):
                await self._running.__aexit__(None, None, None)
        except TimeoutError:
            logger.error("the shutdown hooks took longer than %.1f s and were cancelled", self._options.hooks_s)

    async def _drain(self) -> None:
        """Wait until every connection has ended, at most for the drain time."""
        loop = asyncio.get_running_loop()
        start, told = loop.time(), set[object]()
        while self._is_busy() and not self.force_exit and loop.time() < start + self._options.drain_s:
            linger = loop.time() < start + _FIRST_REQUEST_S
            # Connections accepted just before the listener closed turn up during the wait, so all are looked at again.
            for connection in self.server_state.connections - told:
                if not (linger and _is_fresh(connection)):
                    connection.shutdown()
                    told.add(connection)
            await asyncio.sleep(_POLL_S)

    async def _cancel_rest(self) -> None:
        tasks = set(self.server_state.tasks)
        if tasks:
            logger.warning("stopping: %d requests did not end within %.1f s", len(tasks), self._options.drain_s)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CANCELLED_S)

    def _is_busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)


def _config(app: ModularApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=DEFAULT_LIMITS.frame_bytes,
        # Compression would cost each client its own work for every update, and memory.
        ws_per_message_deflate=False,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        # The server runs the lifespan itself, so that an error of it reaches the caller.
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # The gateway on this machine is believed when it says who asks; nobody else is.
        forwarded_allow_ips="127.0.0.1",
        timeout_keep_alive=_KEEP_ALIVE_S,
    )


def _is_fresh(connection: object) -> bool:
    """Whether no request has arrived on the connection yet."""
    return isinstance(connection, HttpToolsProtocol) and connection.cycle is None


def _nothing() -> None:
    """What a signal wakes before the loop waits."""
