"""uvicorn's WebSocket protocol, with a way out that costs no task, and an end that a dead client cannot delay."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request
from websockets.protocol import State

from trading_api.shared.ws.message import Message
from trading_api.shared.ws.sockets import SOCKET_EXTENSION

# uvicorn's own tells at level info, and websockets at debug, what clients send, query and all: it may hold a secret.
_logger = logging.getLogger("uvicorn.error.websocket")
_logger.setLevel(logging.WARNING)
_SERVICE_RESTART = 1012
_INVALID_UTF8 = 1007
# How long a client may take to read what was sent and confirm the close, before the connection is cut.
_CLOSE_S = 2.0
# The same when the server stops: time for a client that is well, little enough for the grace.
_STOP_S = 0.3
_PING_FAILED_S = 1.0
# What a client may still be sending is read for so long before the connection ends.
_DRAIN_S = 0.3


class DirectSocket:
    """A ClientSocket that writes finished frames to the transport: all that differs between clients is the address."""

    __slots__ = ("_on_writable", "_protocol", "writable")

    def __init__(self, protocol: "WebSocketProtocol") -> None:
        self._protocol = protocol
        self._on_writable: Callable[[], None] = _nothing
        self.writable = True

    def attach(self, on_writable: Callable[[], None]) -> None:
        """As ClientSocket."""
        self._on_writable = on_writable

    def write(self, message: Message) -> None:
        """As ClientSocket."""
        protocol = self._protocol
        if protocol.conn.state is State.OPEN and not protocol.transport.is_closing():
            protocol.transport.write(message.frame)

    def close(self, code: int, reason: str) -> None:
        """As ClientSocket. A client that does not read is cut off after two seconds."""
        self._protocol.close_within(_CLOSE_S, code, reason)

    async def finish(self) -> None:
        """As ClientSocket: there is nothing to wait for."""

    def set_writable(self, value: bool) -> None:
        """Told by the protocol."""
        self.writable = value
        if value:
            self._on_writable()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection. Every end of it reaches the transport in a bounded time, whatever the client does."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _logger
        self.conn.debug = False
        self._socket = DirectSocket(self)

    def handle_connect(self, event: Request) -> None:
        """Take a handshake, and offer the app a socket."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            # The app's task, which was just made, has not begun.
            cast("dict[str, object]", self.scope["extensions"])[SOCKET_EXTENSION] = self._socket

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the app says. A refusal with a body ends the handshake as well.

        uvicorn does not note that, and logs it as an error of the app.
        """
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        super().pause_writing()
        self._socket.set_writable(False)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._socket.set_writable(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; what is written now is dropped."""
        super().connection_lost(exc)
        self._socket.set_writable(True)

    def shutdown(self) -> None:
        """The server stops: tell the client, and give it a moment to confirm."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
        else:
            self.close_within(_STOP_S, _SERVICE_RESTART, "the server stops or restarts")
        self.loop.call_later(_STOP_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A ping was not answered: what waits to be sent to such a client must not keep the connection."""
        super().keepalive_timeout()
        self.loop.call_later(_PING_FAILED_S, self.transport.abort)

    def handle_parser_exception(self) -> None:
        """A frame is not as it should be: say so, and read on a little, dropping what comes.

        To end a connection with bytes unread is to reset it, and the client would never see the reason.
        """
        if self.close_sent:
            return
        assert self.conn.close_sent is not None
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # While this timer stands, the end of the app does not end the connection.
        self.close_timer = self.loop.call_later(_DRAIN_S, self.transport.close)

    def send_receive_event_to_app(self) -> None:
        """Hand on a message; close with 1007 if it is not the UTF-8 it should be, which uvicorn logs as its failure."""
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self.conn.fail(_INVALID_UTF8, "invalid UTF-8")
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def close_within(self, seconds: float, code: int, reason: str) -> None:
        """Close, even if the client does not read; cut it off unless it confirms within `seconds`."""
        if self.close_sent or self.transport.is_closing() or self.conn.state is not State.OPEN:
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(seconds, self.transport.abort)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _nothing() -> None:
    """What a socket calls before a connection is attached."""
