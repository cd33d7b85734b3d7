"""What all routes of the broker have in common: exact numbers in, and its errors as problems."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from trading_api.modules.broker.api.exact_json import read_json
from trading_api.modules.broker.api.locations import location_of
from trading_api.modules.broker.api.parameters import IDEMPOTENCY_KEY
from trading_api.modules.broker.api.query import check_query
from trading_api.modules.broker.domain.problem import texts
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol, not_found_text
from trading_api.modules.broker.refused import Refused
from trading_api.modules.broker.writer.errors import RETRY_AFTER_S, CommandError, KeyReused, MarketUnknown, NoWriter
from trading_api.shared.problems import FieldError, ProblemError, problem_response
from trading_api.shared.store.errors import StoreError

logger = logging.getLogger(__name__)

_STATUS = {"invalid": 400, "not_found": 404}
_UNREADABLE = "The orders cannot be read at the moment; try again later."
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ExactRequest(Request):
    """A request whose JSON has the decimals that were written: floats would hold no more than 17 digits of them.

    A body that has a field twice is a ProblemError.
    """

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


class BrokerRoute(APIRoute):
    """A route that reads decimals exactly, and whose errors become problems in one place."""

    allowed: frozenset[str] = frozenset()
    """The methods of all routes of the same path, for the answer to another one (RFC 9110, Allow)."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.allowed and scope["method"] not in self.allowed:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(self.allowed))})
        await super().handle(scope, receive, send)

    def read_handler(self) -> Handler:
        """What reads the request, calls the endpoint and writes its answer: FastAPI's own."""
        return super().get_route_handler()

    def get_route_handler(self) -> Handler:
        handle, known = self.read_handler(), self._query_names()
        # Caches and tracers add some to what only reads; of a change one that is ignored could be a misspelt amount.
        ignores_unknown = self.methods == {"GET"}

        async def handle_exactly(request: Request) -> Response:
            _need_one_key(request)
            if request.scope["query_string"]:
                check_query(request.query_params, known, ignores_unknown=ignores_unknown)
            try:
                return await handle(ExactRequest(request.scope, request.receive))
            except (Refused, UnknownSymbol, KeyReused) as error:
                raise _problem_of(request, self.operation_id, error) from error
            # Answered here, for a raised 503 is logged with a traceback, and none of these is a mistake of the program.
            except (NoWriter, MarketUnknown) as error:
                return _later(request, str(error), error.retry_after_s)
            except MarketUnavailable as error:
                return _later(request, error.advice, RETRY_AFTER_S)
            except StoreError as error:
                logger.warning("the orders cannot be read: %s", error)
                return _later(request, _UNREADABLE, RETRY_AFTER_S)
            except CommandError as error:
                return problem_response(request.scope, 500, str(error))

        return handle_exactly

    def _query_names(self) -> tuple[str, ...]:
        return tuple(field.alias for field in get_flat_params(self.dependant) if isinstance(field.field_info, Query))


def _need_one_key(request: Request) -> None:
    """The framework takes the first of several, and its client may mean another."""
    keys = request.headers.getlist(IDEMPOTENCY_KEY)
    if len(keys) > 1:
        reason = f"There are {len(keys)} headers {IDEMPOTENCY_KEY}, so it is not clear which one counts; send one."
        raise ProblemError(400, reason, errors=[FieldError(location=f"header.{IDEMPOTENCY_KEY}", message=reason)])


def tell_methods(routes: Iterable[BaseRoute]) -> None:
    """Have each route know what else its path takes; else it would name its own method alone."""
    methods: dict[str, set[str]] = defaultdict(set)
    own = [route for route in routes if isinstance(route, BrokerRoute)]
    for route in own:
        methods[route.path_format] |= route.methods or set()
    for route in own:
        route.allowed = frozenset(methods[route.path_format])


def _problem_of(request: Request, operation_id: str | None, error: Refused | UnknownSymbol | KeyReused) -> ProblemError:
    if isinstance(error, Refused):
        return _refusal_problem(operation_id, error)
    if isinstance(error, UnknownSymbol):
        place, symbol = _symbol(request)
        reason = not_found_text(symbol)
        return ProblemError(404, reason, errors=[FieldError(location=place, message=reason)])
    return ProblemError(409, str(error))


def _refusal_problem(operation_id: str | None, error: Refused) -> ProblemError:
    problems = error.refusal.problems
    errors = [FieldError(location=location_of(one.field, operation_id), message=one.text) for one in problems]
    return ProblemError(_STATUS[error.refusal.kind], _together(texts(problems)), errors=errors)


def _together(reasons: Sequence[str]) -> str:
    """All in one text. Some are sentences, and some only name a field and what is wrong with it."""
    return "; ".join(reason.removesuffix(".") for reason in reasons) if len(reasons) > 1 else "".join(reasons)


def _symbol(request: Request) -> tuple[str, str]:
    """Where a request that has no body names its symbol, and what it is."""
    if "symbol" in request.path_params:
        return "path.symbol", request.path_params["symbol"]
    return "query.symbol", request.query_params.get("symbol", "")


def _later(request: Request, detail: str, after_s: int) -> Response:
    return problem_response(request.scope, 503, detail, headers={"Retry-After": str(after_s)})
