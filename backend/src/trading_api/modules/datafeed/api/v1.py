"""Version 1 of the datafeed's REST API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Body, Path, Query, Response

from trading_api.models.market import (
    BarsResponse,
    DatafeedConfiguration,
    PushedQuote,
    PushedQuotes,
    QuoteData,
    QuotesRequest,
    SearchResult,
    SymbolInfo,
    TradingSession,
)
from trading_api.models.market.pushed import MAX_PUSHED
from trading_api.modules.datafeed import DatafeedModule
from trading_api.modules.datafeed.bars.history import MAX_BARS, RangeError, parse_range
from trading_api.modules.datafeed.bars.store import StoreError
from trading_api.modules.datafeed.feed.pushing import PushError
from trading_api.modules.datafeed.service import ResolutionError
from trading_api.modules.datafeed.trading_session import ClockError, trading_session
from trading_api.modules.datafeed.unknown_symbol import UnknownSymbolError
from trading_api.modules.datafeed.wire import bars_json, configuration, search_result, symbol_info
from trading_api.shared.api import SAFE, APIRouterInterface
from trading_api.shared.problems import FieldError, ProblemError

MAX_RESULTS = 100
_MAX_TIME = 10**15
_MAX_SYMBOL = 80
_PROBLEMS_LISTED = 20
_NOT_STORED = "The quotes could not be written to the store. Nothing was stored; try again."

_Time = Query(ge=-_MAX_TIME, le=_MAX_TIME, description="Epoch in seconds; from 1e11 on in ms.", examples=[1704067200])
_SymbolQuery = Query(min_length=1, max_length=_MAX_SYMBOL, description="NAME or EXCHANGE:NAME, in any case.")
_Resolution = Query(
    min_length=1, max_length=8, description="1 3 5 15 30 60 120 240 1D 1W 1M, or D W M 1H 2H 4H; SymbolInfo says which."
)
_CountBack = Query(
    ge=1,
    le=MAX_BARS,
    description=f"The newest so many bars before `to_time`, at most {MAX_BARS}; outranks `from_time`.",
)
_UserInput = Query(max_length=64, description="Part of a name or description, or EXCHANGE:NAME; empty matches all.")
_Exchange = Query(max_length=32, description="Only this exchange; empty for all.")
_SymbolType = Query(max_length=32, description="Only this type; empty for all.")
_MaxResults = Query(ge=1, le=MAX_RESULTS, description=f"At most so many results, up to {MAX_RESULTS}.")
_Pushed = Body(min_length=1, max_length=MAX_PUSHED)
_SymbolPath = Path(min_length=1, max_length=_MAX_SYMBOL, description="NAME or EXCHANGE:NAME, in any case.")


class DatafeedApi(APIRouterInterface[DatafeedModule]):
    """The routes of the trading contract for the datafeed.

    They are plain functions, so FastAPI runs them in its thread pool: the store's files never block the event loop.
    """

    def register(self) -> None:
        """One line per route."""
        self.get("/config", operation_id="getConfig", tags=["datafeed"])(self.get_config)
        self.get("/search", operation_id="searchSymbols", tags=["datafeed"])(self.search_symbols)
        self.get("/resolve/{symbol}", operation_id="resolveSymbol", tags=["datafeed"])(self.resolve_symbol)
        self.get("/sessions/{symbol}", operation_id="getTradingSession", tags=["datafeed"])(self.get_trading_session)
        self.get("/bars", operation_id="getBars", tags=["datafeed"], response_model=BarsResponse)(self.get_bars)
        # Unset is the time of quotes that are of now.
        quotes = self.post(
            "/quotes",
            operation_id="getQuotes",
            tags=["datafeed"],
            openapi_extra=SAFE,
            response_model_exclude_unset=True,
        )
        quotes(self.get_quotes)
        if self._takes_quotes():
            post = self.post("/debug/quotes", include_in_schema=False, response_model=PushedQuotes)
            post(self.push_quotes)

    def get_config(self) -> DatafeedConfiguration:
        """What this datafeed offers at the moment."""
        with _problems():
            return configuration(self.module.service.instruments())

    def search_symbols(
        self,
        user_input: Annotated[str, _UserInput] = "",
        exchange: Annotated[str, _Exchange] = "",
        symbol_type: Annotated[str, _SymbolType] = "",
        max_results: Annotated[int, _MaxResults] = 30,
    ) -> list[SearchResult]:
        """Symbols, best first: exact name, start of the name, words of the description, anywhere, misspelled."""
        with _problems():
            found = self.module.service.search(
                user_input, exchange=exchange, symbol_type=symbol_type, limit=max_results
            )
        return [search_result(instrument) for instrument in found]

    def resolve_symbol(self, symbol: Annotated[str, _SymbolPath]) -> SymbolInfo:
        """One symbol and its conventions. 404 `Symbol not found` when nobody knows it."""
        with _problems():
            service = self.module.service
            instrument = service.resolve(symbol)
            return symbol_info(instrument, service.offered(instrument), streams=service.streams_bars(instrument))

    def get_trading_session(self, symbol: Annotated[str, _SymbolPath]) -> TradingSession:
        """When a symbol trades: the session that is on, or else the next one. 404 `Symbol not found`.

        By the instrument's calendar, and by the feed's clock: 503 while a replay has nothing to play.
        """
        with _problems():
            service = self.module.service
            instrument = service.resolve(symbol)
            return trading_session(service.feed, instrument, service.directory.version)

    def get_bars(
        self,
        symbol: Annotated[str, _SymbolQuery],
        resolution: Annotated[str, _Resolution],
        from_time: Annotated[int | None, _Time] = None,
        to_time: Annotated[int | None, _Time] = None,
        count_back: Annotated[int | None, _CountBack] = None,
    ) -> Response:
        """Bars with `from_time` <= time < `to_time`, or the newest `count_back` before `to_time`; at most 20000.

        Ascending, times in ms UTC. An empty range names the newest older bar as `nextTime` (ms UTC). 400 for a
        reversed or oversized range, for neither `from_time` nor `count_back`, and for a resolution finer than there is.
        """
        with _problems(symbol_at="query.symbol"):
            wanted = parse_range(from_time, to_time, count_back)
            history = self.module.service.history(symbol, resolution, wanted)
        # Already JSON, with exact decimals: a model would turn them into floats.
        return Response(bars_json(history), media_type="application/json")

    def get_quotes(self, request: QuotesRequest) -> list[QuoteData]:
        """What symbols trade at now, in the order asked for. An unknown one gets `s: error`; it fails no other."""
        with _problems():
            return self.module.service.quotes(request.symbols)

    async def push_quotes(self, quotes: Annotated[list[PushedQuote], _Pushed]) -> PushedQuotes:
        """Store quotes, all or none; development only.

        400 with what is wrong, the first 20 places of it: off tick, going back in time, …; 503 when they cannot be
        written.
        """
        try:
            return await self.module.service.push(quotes)
        except PushError as error:
            raise _push_problem(error) from error
        except StoreError as error:
            raise ProblemError(503, _NOT_STORED) from error

    def _takes_quotes(self) -> bool:
        settings = self.module.settings
        return settings.debug_routes and settings.feed.kind == "manual"


@contextmanager
def _problems(symbol_at: str = "path.symbol") -> Iterator[None]:
    """Turns what the service raises into answers; `symbol_at` is where the request names its symbol."""
    try:
        yield
    except UnknownSymbolError as error:
        raise ProblemError(404, str(error), errors=[FieldError(location=symbol_at, message=error.text)]) from error
    except (RangeError, ResolutionError) as error:
        raise ProblemError(400, str(error)) from error
    except ClockError as error:
        raise ProblemError(503, str(error)) from error
    except StoreError as error:
        # The log gets the cause with its path; the client does not.
        raise ProblemError(503, "The bar store cannot be read at the moment; try again later.") from error


def _push_problem(error: PushError) -> ProblemError:
    """The first of what is wrong, and how much more there is."""
    listed = error.problems[:_PROBLEMS_LISTED]
    errors = [FieldError(location=f"body.{each.place}.{each.field}", message=each.message) for each in listed]
    more = len(error.problems) - len(listed)
    detail = f"{error}; the first {len(listed)} problems are listed, there are {more} more" if more else str(error)
    return ProblemError(400, detail, errors=errors)
