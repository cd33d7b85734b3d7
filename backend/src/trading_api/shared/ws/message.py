"""One message to clients, serialised once however many of them get it."""

import struct

# RFC 6455, 5.2: the final fragment of a text message; 126 and 127 announce a longer length of 2 or 8 bytes.
_TEXT = 0x81
_LONG, _LONGER = 126, 127
# About what Python adds to the bytes of a message that is kept: two objects, and its place where it is kept.
_OBJECTS = 256


class Message:
    """The JSON text of a message, in three parts: the head is shared by all updates of a topic, and long.

    So a message that waits keeps little more than its own data. `holders` is how many places keep it (Memory).
    """

    __slots__ = ("_asgi", "_data", "_frame", "_head", "_shared", "_tail", "holders", "size")

    def __init__(self, data: bytes, head: bytes = b"", tail: bytes = b"") -> None:
        """The text is `head`, `data` and `tail`, UTF-8. `size` is about the bytes that keeping it takes."""
        self._head = head
        self._data = data
        self._tail = tail
        self._shared = False
        self._frame: bytes | None = None
        self._asgi: dict[str, str] | None = None
        self.holders = 0
        self.size = len(data) + len(tail) + _OBJECTS

    @property
    def payload(self) -> bytes:
        """The whole text."""
        return self._head + self._data + self._tail

    @property
    def frame(self) -> bytes:
        """The bytes on the wire. A server's frames carry no mask, so they are the same for every client (RFC 6455)."""
        if self._frame is not None:
            return self._frame
        size = len(self._head) + len(self._data) + len(self._tail)
        frame = b"%b%b%b%b" % (_header(size), self._head, self._data, self._tail)
        if self._shared:
            self._frame = frame
        return frame

    @property
    def asgi(self) -> dict[str, str]:
        """The ASGI event; not to be changed."""
        if self._asgi is not None:
            return self._asgi
        event = {"type": "websocket.send", "text": self.payload.decode()}
        if self._shared:
            self._asgi = event
        return event

    def share(self) -> None:
        """From now on keep the forms in which sockets take it, so that each is made once for all clients."""
        self._shared = True

    def unshare(self) -> None:
        """Give them up again: where the message is kept, they would take many times its own size."""
        self._shared = False
        self._frame = self._asgi = None


def _header(size: int) -> bytes:
    """The head of an unmasked frame. By hand, for it is made for every update."""
    if size < _LONG:
        return bytes((_TEXT, size))
    if size < 1 << 16:
        return struct.pack("!BBH", _TEXT, _LONG, size)
    return struct.pack("!BBQ", _TEXT, _LONGER, size)
