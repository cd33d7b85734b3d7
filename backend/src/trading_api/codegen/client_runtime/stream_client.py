"""The asynchronous client of an API that has streams."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, TypeVar

import httpx

from .rest import AsyncRestClient
from .retry import Dice, RetryPolicy
from .stream import DurableStream, Stream
from .stream_hub import Hub
from .stream_route import StreamPolicy, StreamRoute
from .stream_socket import Connect, connector

RequestT = TypeVar("RequestT")
DataT = TypeVar("DataT")


class AsyncStreamClient(AsyncRestClient):
    """REST calls, and streams over one WebSocket that is open while something is subscribed."""

    WS_PATH: ClassVar[str] = "/ws"

    def __init__(
        self,
        base_url: str,
        *,
        api_base: str | None = None,
        timeout: float | None = 10.0,
        headers: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        streams: StreamPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        connect: Connect | None = None,
        dice: Dice | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`transport` and `connect` replace httpx's and websockets' connections, as tests do."""
        super().__init__(
            base_url,
            api_base=api_base,
            timeout=timeout,
            headers=headers,
            retry=retry,
            transport=transport,
            dice=dice,
            sleep=sleep,
        )
        self._policy = streams or StreamPolicy()
        url = self.address.socket(self.WS_PATH)
        self._hub = Hub(
            connect or connector(url, headers or {}, timeout, self._policy), self._policy, self._dice, sleep
        )

    async def aclose(self) -> None:
        """Close every connection. Subscriptions that are being read end with TransportError."""
        await self._hub.aclose()
        await super().aclose()

    def _stream(self, route: StreamRoute[RequestT, DataT]) -> Stream[RequestT, DataT]:
        return Stream(self._hub, route, self._policy)

    def _durable_stream(self, route: StreamRoute[RequestT, DataT]) -> DurableStream[RequestT, DataT]:
        return DurableStream(self._hub, route, self._policy)
