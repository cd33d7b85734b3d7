"""One error shape everywhere: RFC 9457 problem details, sent as `application/problem+json`."""

import json
import logging
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from trading_api.shared.refusal_log import RefusalLog
from trading_api.shared.request_errors import in_words, plain, unreadable_body
from trading_api.shared.request_id import current_request_id

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# A request can be wrong in more places than anybody reads; the answer stays small.
MAX_FIELD_ERRORS = 50
# What pydantic puts before the words of a ValueError or AssertionError, by the type of its error.
_OWN_WORDS = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}
# Of a text that has a check of its own pydantic counts "items".
_LENGTHS = frozenset({"too_long", "too_short"})
_ITEMS = re.compile(r"^Value should have (at (?:most|least) \d+) items? after validation, not \d+$")
# RFC 9110 renamed these; Python knows the new names from 3.13 on.
_STATUSES = frozenset(int(status) for status in HTTPStatus)
_refusals = RefusalLog()
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


def never_null(schema: dict[str, Any]) -> None:
    """Take the default out of the schema of a field that is left out, rather than sent, when it is None."""
    schema.pop("default", None)


class FieldError(BaseModel):
    """One wrong place in a request."""

    location: str = Field(description="Where, as a dotted path.", examples=["body.qty"])
    message: str = Field(description="What is wrong there.", examples=["Field required"])


class Problem(BaseModel):
    """What is sent instead of an answer (RFC 9457)."""

    type: str = Field(default="about:blank", description="A URI naming the kind of problem.")
    title: str = Field(description="The kind of problem in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What went wrong this time. Always a string.", examples=["Symbol not found"])
    instance: str = Field(description="The path that was asked for.", examples=["/api/v1/broker/account"])
    request_id: str = Field(description="Names the request in the logs.", examples=["9f1c2c0e4d7b4c0a8a55d0a4a4c5b7f1"])
    errors: list[FieldError] | SkipJsonSchema[None] = Field(
        default=None, description="The wrong places, where there are some.", json_schema_extra=never_null
    )


def field_error(item: Mapping[str, Any], *above: str) -> FieldError:
    """The wrong place of one of pydantic's errors; `above` is where in the request the validated value stands."""
    message = plain(str(item["msg"]))
    if item["type"] in _OWN_WORDS:
        # What the code of a model says is meant for people as it is.
        message = message.removeprefix(_OWN_WORDS[item["type"]])
    if item["type"] in _LENGTHS:
        message = re.sub(_ITEMS, r"String should have \1 characters", message)
    return FieldError(location=".".join(str(part) for part in (*above, *item["loc"])), message=message)


class ProblemError(HTTPException):
    """An HTTPException that carries more than a detail: a problem type of its own, or the wrong places."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.errors = tuple(errors)


def problem_response(
    scope: Scope,
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that tells of a problem with the request of `scope`."""
    problem = Problem(
        title=_title(status),
        status=status,
        detail=detail,
        instance=_instance(scope),
        request_id=current_request_id(),
        errors=list(errors) or None,
    )
    text = json.dumps(problem.model_dump(exclude_none=True), ensure_ascii=False, separators=(",", ":"))
    # A message may quote what no UTF-8 holds: half of a surrogate pair.
    content = text.encode(errors="replace")
    return Response(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """The problem of an HTTPException, raised by a route, by the router (404, 405), or for a body that is no JSON."""
    assert isinstance(error, HTTPException)
    unreadable = unreadable_body(error)
    if unreadable is not None:
        return problem_response(
            request.scope, 422, f"body: {unreadable}", errors=[FieldError(location="body", message=unreadable)]
        )
    detail = _detail(request, error)
    _log_refusal(error.status_code, detail, error)
    return problem_response(
        request.scope,
        error.status_code,
        detail,
        errors=error.errors if isinstance(error, ProblemError) else (),
        headers=error.headers,
    )


async def handle_validation_error(request: Request, error: Exception) -> Response:
    """The problem of a request that does not have the declared shape: 422, with the wrong places."""
    assert isinstance(error, RequestValidationError)
    errors = [field_error(in_words(request, error, item)) for item in error.errors()[:MAX_FIELD_ERRORS]]
    detail = "; ".join(f"{item.location}: {item.message}" for item in errors[:3]) or "The request is not valid."
    _log_refusal(422, detail, error)
    return problem_response(request.scope, 422, detail, errors=errors)


ExceptionHandler = Callable[[Request, Exception], Coroutine[None, None, Response]]
EXCEPTION_HANDLERS: dict[int | type[Exception], ExceptionHandler] = {
    HTTPException: handle_http_exception,
    RequestValidationError: handle_validation_error,
}


def _log_refusal(status: int, detail: str, error: Exception) -> None:
    if isinstance(error, ProblemError) and status > HTTPStatus.INTERNAL_SERVER_ERROR:
        # The program means to answer so: the store is locked, a replay has nothing to play. That is nobody's mistake.
        _refusals.tell(f"{status} {detail}", str(error.__cause__ or ""))
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%d %s", status, detail, exc_info=error)
    else:
        logger.debug("%d %s", status, detail)


def _title(status: int) -> str:
    return _TITLES.get(status) or _phrase(status) or "Error"


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in _STATUSES else ""


def _detail(request: Request, error: HTTPException) -> str:
    """What the error says; where the router only named the status, what that means for this request."""
    detail: object = error.detail
    if not isinstance(detail, str):
        return json.dumps(detail, default=str)
    if detail != _phrase(error.status_code):
        return detail
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return (
            f"This path does not take {request.method}; it takes {(error.headers or {}).get('Allow', 'other methods')}."
        )
    return "There is nothing at this path." if error.status_code == HTTPStatus.NOT_FOUND else detail


def _instance(scope: Scope) -> str:
    # The path as it was sent: percent-encoded, and without the query, which may hold what is nobody's business.
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("ascii", "backslashreplace")
