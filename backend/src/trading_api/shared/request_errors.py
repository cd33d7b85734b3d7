"""What is wrong with a request's body, in words for whoever wrote it: FastAPI's errors name shapes of Python."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from email.message import Message
from http import HTTPStatus
from types import NoneType
from typing import Any, get_args

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from trading_api.variables import hint

_LIST = re.compile(r"^List should have (at (?:least|most) \d+ items?) after validation, not (\d+)$")
# What FastAPI says of every body that json.loads fails on with another error than its own.
_UNREADABLE = "There was an error parsing the body"
_PATTERNS = {
    r"String should match pattern '^[\x20-\x7e]+$'": "Only printable ASCII characters are allowed: letters, digits, "
    "signs and spaces"
}
_NOT_JSON = "the body is not read as JSON: send the header Content-Type: application/json"


def in_words(request: Request, error: RequestValidationError, item: Mapping[str, Any]) -> Mapping[str, Any]:
    """One of the error's items, with other words and another place where there are better ones."""
    if item["type"] == "json_invalid":
        return {**item, "loc": ("body",), "msg": _not_json(error.body, item)}
    if item["type"] == "extra_forbidden":
        return {**item, "msg": _unknown_field(request, item["loc"])}
    if item["loc"] == ("body",) and isinstance(error.body, bytes) and not _is_json(request):
        return {**item, "msg": _NOT_JSON}
    return item


def plain(message: str) -> str:
    """What pydantic says, without the shapes of Python and regular expressions where there are plain words for them."""
    return _PATTERNS.get(message) or re.sub(_LIST, r"Must have \1, but has \2", message)


def unreadable_body(error: HTTPException) -> str | None:
    """What is wrong with a body that could not be read, where FastAPI says no more than that (and 400); else None."""
    cause = error.__cause__
    if error.status_code != HTTPStatus.BAD_REQUEST or error.detail != _UNREADABLE:
        return None
    if isinstance(cause, UnicodeDecodeError):
        return _not_text(cause)
    if isinstance(cause, RecursionError):
        return "is no JSON that can be read: arrays or objects are nested too deeply"
    if isinstance(cause, ValueError):
        return f"is no JSON that can be read: a number has more than {sys.get_int_max_str_digits()} digits"
    return None


def _not_text(error: UnicodeDecodeError) -> str:
    before = error.object[: error.start].decode(error.encoding, "replace")
    where = json.JSONDecodeError("", before, len(before))
    byte = error.object[error.start]
    return f"is no JSON: byte 0x{byte:02x} at {_at(where)} is not {error.encoding.upper()}"


def _at(where: json.JSONDecodeError) -> str:
    return f"line {where.lineno}, column {where.colno}"


def _not_json(document: object, item: Mapping[str, Any]) -> str:
    """The decoder's words, and where."""
    reason, position = item.get("ctx", {}).get("error", "not valid"), item["loc"][-1]
    if not isinstance(document, str) or not isinstance(position, int):
        return f"is no JSON: {reason}"
    where = json.JSONDecodeError("", document, position)
    return f"is no JSON: {reason} at {_at(where)}"


def _is_json(request: Request) -> bool:
    """As FastAPI takes it."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "text/plain")
    subtype = header.get_content_subtype()
    return header.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def _unknown_field(request: Request, place: Sequence[str | int]) -> str:
    """What may have been meant, where the route's model tells."""
    return no_such_field(_body_model(request), place[1:]) if place[:1] == ("body",) else "there is no such field"


def no_such_field(kind: object, place: Sequence[str | int]) -> str:
    """Of a field that is not in a model, at a place in it: what may have been meant, where the model tells."""
    known = _fields(kind, place[:-1])
    return f"there is no such field ({hint(str(place[-1]), known)})" if known else "there is no such field"


def _body_model(request: Request) -> object:
    route = request.scope.get("route")
    body = route.body_field if isinstance(route, APIRoute) else None
    return None if body is None else body.field_info.annotation


def _fields(kind: object, place: Sequence[str | int]) -> tuple[str, ...]:
    """The names in a model, or in what stands at a place in it."""
    for part in place:
        model = _model(kind)
        if isinstance(part, int):
            # An item of a list.
            kind = next(iter(get_args(kind)), None)
        else:
            kind = model.model_fields[part].annotation if model and part in model.model_fields else None
    model = _model(kind)
    return tuple(field.alias or name for name, field in model.model_fields.items()) if model else ()


def _model(kind: object) -> type[BaseModel] | None:
    """The model of `Model` and `Model | None`."""
    for each in (kind, *get_args(kind)):
        if isinstance(each, type) and each is not NoneType and issubclass(each, BaseModel):
            return each
    return None
