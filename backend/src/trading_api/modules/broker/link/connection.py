"""One WebSocket connection to the datafeed, from handshake to end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

Send = Callable[[str], Awaitable[None]]
"""Sends a text to the datafeed; waits while it reads slowly. On a connection that has ended it does nothing."""

# A datafeed that hangs is noticed after the ping that it does not answer: within 7 s.
PING_S = 3.0
PONG_S = 4.0
_OPEN_S = 4.0
# The stop of the broker waits for it.
_CLOSE_S = 0.2
_RESTART = 1012
# How the library closes when a ping was not answered, and when a frame broke the rules or was too large.
_UNANSWERED, _UNREADABLE = 1011, (1002, 1007, 1009)
# A quote takes a hundredth of it.
MAX_FRAME = 1 << 16
UNREADABLE = "The datafeed sent what cannot be read."
# Frames are read for so long before others have a turn.
_SLICE_S = 0.005


class LinkEndedError(Exception):
    """The connection ended, or never began; the message says why.

    `refused`: by an answer that a retry will repeat. `announced`: by a datafeed that restarts in good order.
    """

    def __init__(self, reason: str, *, refused: bool = False, announced: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused
        self.announced = announced


async def attend(url: str, on_open: Callable[[Send], None], on_text: Callable[[str], None]) -> None:
    """Connect to `url`, call `on_open` once connected and `on_text` with each message, until the connection ends.

    Raises LinkEndedError, also one that `on_text` raised: then the connection is closed.
    """
    # Imported here, when the server serves already: the start-up does not wait for it.
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

    try:
        async with connect(
            url,
            proxy=None,
            compression=None,
            open_timeout=_OPEN_S,
            ping_interval=PING_S,
            ping_timeout=PONG_S,
            close_timeout=_CLOSE_S,
            max_size=MAX_FRAME,
        ) as connection:
            on_open(_sender(connection))
            await _read(connection, on_text)
    except ConnectionClosed as closed:
        raise _ended(closed) from closed
    except InvalidStatus as error:
        status = error.response.status_code
        raise LinkEndedError(f"The datafeed refuses the link: HTTP {status}.", refused=status < 500) from error
    except InvalidMessage as error:
        raise LinkEndedError("The datafeed broke the link off.") from error
    except (InvalidURI, InvalidHandshake) as error:
        raise LinkEndedError("What answers at the datafeed's address is no datafeed.", refused=True) from error
    except TimeoutError as error:
        raise LinkEndedError("The datafeed does not answer.") from error
    except OSError as error:
        raise LinkEndedError("The datafeed cannot be reached.") from error


async def _read(connection: ClientConnection, on_text: Callable[[str], None]) -> None:
    """Until the connection ends."""
    slice_ends = time.monotonic() + _SLICE_S
    while True:
        text = await connection.recv()
        if not isinstance(text, str):
            raise LinkEndedError(UNREADABLE)
        on_text(text)
        # What has come already is read without a pause.
        if time.monotonic() >= slice_ends:
            await asyncio.sleep(0)
            slice_ends = time.monotonic() + _SLICE_S


def _sender(connection: ClientConnection) -> Send:
    from websockets.exceptions import ConnectionClosed

    async def send(text: str) -> None:
        # Whoever reads learns of the end.
        with contextlib.suppress(ConnectionClosed):
            await connection.send(text)

    return send


def _ended(closed: ConnectionClosed) -> LinkEndedError:
    """In words why an open connection ended."""
    if closed.sent is not None and not closed.rcvd_then_sent and closed.sent.code in _UNREADABLE:
        return LinkEndedError(UNREADABLE)
    if closed.rcvd is not None:
        if closed.rcvd.code == _RESTART:
            return LinkEndedError("The datafeed restarts.", announced=True)
        return LinkEndedError(f"The datafeed closed the link ({closed.rcvd.code}).")
    if closed.sent is not None and closed.sent.code == _UNANSWERED:
        return LinkEndedError("The datafeed stopped answering.")
    return LinkEndedError("The link to the datafeed broke.")
