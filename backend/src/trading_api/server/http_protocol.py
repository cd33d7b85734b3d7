"""uvicorn's HTTP protocol, which a client cannot keep waiting for a request that it never finishes."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
"""Seconds from the connect, or from the first byte of a later request, to the end of the request's head."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. A WebSocket's handshake arrives here too."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """The client has connected: its first request is due."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._clear()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins; the first one has been waited for already."""
        super().on_message_begin()
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_S, self.transport.close)

    def on_headers_complete(self) -> None:
        """The head is complete; what follows has bounds of its own."""
        self._clear()
        super().on_headers_complete()

    def _clear(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
