"""What the datafeed answers over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.link.connection import UNREADABLE
from trading_api.modules.broker.link.http_answer import HttpAnswer
from trading_api.modules.broker.link.http_client import HttpClient, HttpError
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol
from trading_api.modules.broker.market.reading import (
    HoursReading,
    QuoteReading,
    ReadingError,
    UnusableStep,
    members,
    parse,
    read_hours,
    read_instrument,
    read_quotes,
)

MAX_QUOTES = 200
"""Symbols whose quotes may be asked for at once."""
_MAX_SYMBOL = 80
_MAX_DETAIL = 200
_OK, _NOT_FOUND = 200, 404
# Too many requests; somebody before the datafeed, or it itself, is not ready.
_PASSING = (429, 502, 503, 504)
T = TypeVar("T")


class Datafeed:
    """Its methods raise MarketUnavailable; those about one symbol UnknownSymbol, too."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def instrument(self, symbol: str) -> TradedInstrument:
        """A symbol's canonical name and grids."""
        return await self._get("resolve", symbol, read_instrument)

    async def hours(self, symbol: str) -> HoursReading:
        """A symbol's current or next session, and the feed's clock."""
        return await self._get("sessions", symbol, read_hours)

    async def quotes(self, symbols: Sequence[str]) -> list[QuoteReading]:
        """The quotes of now of up to MAX_QUOTES symbols."""
        body = json.dumps({"symbols": list(symbols)}).encode()
        return _read(await self._ask("POST", "/quotes", body), read_quotes)

    async def _get(self, route: str, symbol: str, read: Callable[[object], T]) -> T:
        # No name has a slash, and one within a path would be taken for the end of a name.
        if not 0 < len(symbol) <= _MAX_SYMBOL or "/" in symbol:
            raise UnknownSymbol
        return _read(await self._ask("GET", f"/{route}/{_quoted(symbol)}"), read)

    async def _ask(self, method: str, path: str, body: bytes = b"") -> HttpAnswer:
        try:
            return await self._client.ask(method, path, body)
        except HttpError as error:
            raise MarketUnavailable(str(error)) from error


def _quoted(symbol: str) -> str:
    return quote(symbol, safe="", errors="replace")


def _read(answer: HttpAnswer, read: Callable[[object], T]) -> T:
    if answer.status != _OK:
        raise _refusal(answer)
    try:
        return read(parse(answer.body))
    except UnusableStep as error:
        raise MarketUnavailable(str(error), answered=True, lasting=True) from error
    except ReadingError as error:
        raise MarketUnavailable(UNREADABLE) from error


def _refusal(answer: HttpAnswer) -> UnknownSymbol | MarketUnavailable:
    """What a problem document (RFC 9457) means."""
    try:
        detail = members(parse(answer.body)).get("detail")
    except ReadingError:
        detail = None
    if answer.status == _NOT_FOUND and detail == str(UnknownSymbol()):
        return UnknownSymbol()
    said = f"says: {detail[:_MAX_DETAIL]}" if isinstance(detail, str) else f"answers with HTTP {answer.status}."
    return MarketUnavailable(f"The datafeed {said}", answered=answer.status not in _PASSING)
