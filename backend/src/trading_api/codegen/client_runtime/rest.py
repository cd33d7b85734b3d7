"""The two shells that send calls with httpx. What is sent and how it is read is decided elsewhere."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import ClassVar, Self, TypeVar

import httpx

from .address import address
from .answer import Call, Response
from .errors import DecodeError, TransportError
from .request import Request
from .retry import Attempts, Dice, RetryPolicy

T = TypeVar("T")


class RestClient:
    """What both shells know: where the API is, and how stubborn they are."""

    API_BASE: ClassVar[str]
    PREFIX: ClassVar[str]

    def __init__(self, base_url: str, api_base: str | None, retry: RetryPolicy, dice: Dice) -> None:
        self.address = address(base_url, self.API_BASE if api_base is None else api_base, self.PREFIX)
        self._retry = retry
        self._dice = dice

    def _prepare(self, call: Call[T]) -> tuple[Request, Attempts]:
        """The request as it is sent each time: its idempotency key is made once for all attempts."""
        request = call.request.with_key(uuid.uuid4().hex)
        return request, Attempts(request, self._retry, self._dice)

    def _encode(self, http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
        body = request.body
        headers = {**request.headers, **({"content-type": body.content_type} if body else {})}
        url = self.address.of(request.target)
        return http.build_request(request.method, url, headers=headers, content=body.content if body else None)


class AsyncRestClient(RestClient):
    """Sends calls on an event loop. One object belongs to one loop."""

    def __init__(
        self,
        base_url: str,
        *,
        api_base: str | None = None,
        timeout: float | None = 10.0,
        headers: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        dice: Dice | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        super().__init__(base_url, api_base, retry or RetryPolicy(), dice or Dice())
        self._sleep = sleep
        self._http = httpx.AsyncClient(timeout=timeout, transport=transport, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. The client cannot be used afterwards."""
        await self._http.aclose()

    async def _send(self, call: Call[T]) -> T:
        request, attempts = self._prepare(call)
        while True:
            outcome = await self._attempt(request)
            delay = attempts.delay_after(outcome)
            if delay is None:
                return call.result(outcome)
            await self._sleep(delay)

    async def _attempt(self, request: Request) -> Response | TransportError:
        try:
            return _response(await self._http.send(self._encode(self._http, request)))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _no_response(request, error)


class SyncRestClient(RestClient):
    """Sends calls and waits for them. It has no streams: those need an event loop."""

    def __init__(
        self,
        base_url: str,
        *,
        api_base: str | None = None,
        timeout: float | None = 10.0,
        headers: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx.BaseTransport | None = None,
        dice: Dice | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(base_url, api_base, retry or RetryPolicy(), dice or Dice())
        self._sleep = sleep
        self._http = httpx.Client(timeout=timeout, transport=transport, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection. The client cannot be used afterwards."""
        self._http.close()

    def _send(self, call: Call[T]) -> T:
        request, attempts = self._prepare(call)
        while True:
            outcome = self._attempt(request)
            delay = attempts.delay_after(outcome)
            if delay is None:
                return call.result(outcome)
            self._sleep(delay)

    def _attempt(self, request: Request) -> Response | TransportError:
        try:
            return _response(self._http.send(self._encode(self._http, request)))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _no_response(request, error)


def _response(response: httpx.Response) -> Response:
    return Response(
        response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content
    )


def _no_response(request: Request, cause: httpx.HTTPError | httpx.InvalidURL) -> TransportError:
    """The error to try again after, or to give up with. Raises what the next attempt would end with too."""
    what = f"{type(cause).__name__}: {cause}".rstrip(": ")
    if isinstance(cause, httpx.DecodingError):
        raise DecodeError(request.operation, f"the answer is not encoded as it says: {what}") from cause
    error = TransportError(request.operation, what)
    error.__cause__ = cause
    if isinstance(cause, httpx.TransportError):
        return error
    raise error
