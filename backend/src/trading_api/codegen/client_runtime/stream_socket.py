"""The WebSocket under a conversation. The only file that knows the `websockets` library."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    SecurityError,
    WebSocketException,
)

from .errors import ClientError, StreamRefused, TransportError
from .stream_route import StreamPolicy

# Closing is a courtesy; a server that does not answer it is left after so many seconds.
_CLOSE_TIMEOUT = 1.0
_TEMPORARY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
# Protocol errors, refused data, too large a frame, missing extension: the next connection would end the same way.
_FATAL_CODES = frozenset({1002, 1003, 1007, 1009, 1010})
# An address that is none, of a server, a redirect or a proxy; ImportError is that of a proxy's own library.
_FATAL_ERRORS = (InvalidURI, InvalidProxy, SecurityError, ValueError, ImportError)
POLICY_VIOLATION = 1008


class ConnectionLost(ClientError):
    """There is no connection, or no longer. `code`: the server's close code, 1006 where it said nothing."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code


class Socket(Protocol):
    """A connection that frames are sent and received on, one by one.

    `send` and `receive` raise ConnectionLost or StreamRefused; `aclose` raises nothing.
    """

    async def send(self, text: str) -> None: ...

    async def receive(self) -> str | bytes: ...

    async def aclose(self) -> None: ...


Connect = Callable[[], Awaitable[Socket]]


class WebSocket:
    """A `websockets` connection as a Socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        """Send a frame."""
        try:
            await self._connection.send(text)
        except ConnectionClosed as closed:
            raise _lost(closed) from closed

    async def receive(self) -> str | bytes:
        """The next frame."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _lost(closed) from closed

    async def aclose(self) -> None:
        """Close it."""
        await self._connection.close()


def connector(url: str, headers: Mapping[str, str], timeout: float | None, policy: StreamPolicy) -> Connect:
    """What opens a connection to `url`.

    It raises ConnectionLost, or StreamRefused and TransportError where trying again is of no use.
    """

    async def open_socket() -> Socket:
        try:
            return WebSocket(
                await connect(
                    url,
                    additional_headers=headers,
                    open_timeout=timeout,
                    ping_interval=policy.ping_interval,
                    ping_timeout=policy.ping_interval,
                    close_timeout=_CLOSE_TIMEOUT,
                    # A client chose its server; updates may be as large as they are.
                    max_size=None,
                )
            )
        except InvalidStatus as refused:
            raise _refusal(refused) from refused
        except (OSError, WebSocketException, ValueError, ImportError) as error:
            raise _failure(error) from error

    return open_socket


def _refusal(refused: InvalidStatus) -> ClientError:
    status = refused.response.status_code
    if status in _TEMPORARY_STATUSES:
        return ConnectionLost(1006, f"the server answered {status}")
    return StreamRefused("stream", status, refused.response.reason_phrase)


def _failure(error: Exception) -> ClientError:
    """What an attempt to connect that got no answer, or one of no use, ends with."""
    what = f"{type(error).__name__}: {error}"
    # A certificate that does not fit is a ValueError too, and may be put right while we wait.
    if isinstance(error, OSError) or not isinstance(error, _FATAL_ERRORS):
        return ConnectionLost(1006, what)
    redirect = error.__context__
    if isinstance(redirect, InvalidStatus):
        return StreamRefused("stream", redirect.response.status_code, f"(the redirect cannot be followed: {error})")
    return TransportError("stream", what)


def _lost(closed: ConnectionClosed) -> ClientError:
    frame = closed.rcvd
    if frame is None:
        return ConnectionLost(1006, str(closed))
    return (
        StreamRefused("stream", frame.code, frame.reason)
        if frame.code in _FATAL_CODES
        else ConnectionLost(frame.code, frame.reason)
    )
