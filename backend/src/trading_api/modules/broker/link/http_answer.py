"""One answer of an HTTP server, put together as its bytes come."""

from __future__ import annotations

import httptools

# The quotes of 200 symbols take a tenth of it.
MAX_BODY = 1 << 20
MAX_HEAD = 1 << 16


class HttpAnswerError(Exception):
    """What came is no HTTP answer, or one that is too large."""


class HttpAnswer:
    """`status` and `body` hold once `complete`; `keeps` is whether the connection may be used again."""

    def __init__(self) -> None:
        self.status = 0
        self.complete = False
        self.keeps = False
        self._body = bytearray()
        self._head = 0
        self._parser = httptools.HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """What was answered."""
        return bytes(self._body)

    def feed(self, data: bytes) -> None:
        """The next bytes, not many at a time. Raises HttpAnswerError."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise HttpAnswerError("no HTTP") from error
        if len(self._body) > MAX_BODY or self._head > MAX_HEAD:
            raise HttpAnswerError("too large")

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if self.complete:
            raise HttpAnswerError("two answers to one question")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._head += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self._body += data

    def on_message_complete(self) -> None:
        """Called by the parser. The answer of an informational status (1xx) is still to come."""
        self.complete = self.status >= 200
        self.keeps = self._parser.should_keep_alive()
