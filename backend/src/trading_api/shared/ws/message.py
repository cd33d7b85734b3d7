"""One message to clients, serialised once however many of them get it."""

import struct

# RFC 6455, 5.2: the final fragment of a text message; 126 and 127 announce a longer length of 2 or 8 bytes.
_TEXT = 0x81
_LONG, _LONGER = 126, 127


class Message:
    """The JSON text of a message, and the forms in which sockets take it, each made once when it is first wanted."""

    __slots__ = ("_asgi", "_frame", "payload")

    def __init__(self, payload: bytes) -> None:
        """`payload` is UTF-8."""
        self.payload = payload
        self._frame: bytes | None = None
        self._asgi: dict[str, str] | None = None

    @property
    def frame(self) -> bytes:
        """The bytes on the wire. A server's frames carry no mask, so they are the same for every client (RFC 6455)."""
        if self._frame is None:
            self._frame = _header(len(self.payload)) + self.payload
        return self._frame

    @property
    def asgi(self) -> dict[str, str]:
        """The ASGI event; not to be changed."""
        if self._asgi is None:
            self._asgi = {"type": "websocket.send", "text": self.payload.decode()}
        return self._asgi


def _header(size: int) -> bytes:
    """The head of an unmasked frame. By hand, for it is made for every update."""
    if size < _LONG:
        return bytes((_TEXT, size))
    if size < 1 << 16:
        return struct.pack("!BBH", _TEXT, _LONG, size)
    return struct.pack("!BBQ", _TEXT, _LONGER, size)
