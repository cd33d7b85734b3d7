"""One connection to an HTTP server: asks, waits for the answer, asks again."""

from __future__ import annotations

import asyncio
from urllib.parse import SplitResult, urlsplit

from trading_api.modules.broker.link.http_answer import HttpAnswer, HttpAnswerError

_CHUNK = 1 << 16


class HttpConnection:
    """A connection that is open. One question at a time; who gives up while one is under way closes it."""

    def __init__(self, url: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._url = url
        self._reader = reader
        self._writer = writer
        self.answered = False
        """Whether it has served a question already, so that the server may have closed it since."""

    @classmethod
    async def open(cls, base: str) -> HttpConnection:
        """Connect to the server of a URL. Raises OSError."""
        url = urlsplit(base)
        tls = url.scheme == "https"
        reader, writer = await asyncio.open_connection(url.hostname, url.port or (443 if tls else 80), ssl=tls or None)
        return cls(url, reader, writer)

    async def ask(self, method: str, path: str, body: bytes = b"") -> HttpAnswer:
        """The answer to a request of a path below the URL's. Raises OSError and HttpAnswerError; then it is of no use.

        ConnectionResetError: the server closed before it answered anything.
        """
        self._writer.write(self._request(method, path, body))
        answer, received = HttpAnswer(), False
        while not answer.complete:
            data = await self._reader.read(_CHUNK)
            if not data:
                raise HttpAnswerError("half an answer") if received else ConnectionResetError("no answer")
            received = True
            answer.feed(data)
        self.answered = True
        return answer

    def close(self) -> None:
        """Close it without waiting."""
        self._writer.transport.abort()

    def _request(self, method: str, path: str, body: bytes) -> bytes:
        kind = "Content-Type: application/json\r\n" if body else ""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {self._url.path}{path} HTTP/1.1\r\nHost: {self._url.netloc.rpartition('@')[2]}\r\n"
        return f"{head}Accept: application/json\r\n{kind}{length}\r\n".encode() + body
