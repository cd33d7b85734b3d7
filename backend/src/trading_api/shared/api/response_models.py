"""A06: every route says what it answers with, or the server does not start."""

from collections.abc import Iterable
from typing import Any

from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute

from trading_api.shared.errors import ModuleError, Place

# Answers with these statuses have no content.
_EMPTY = frozenset({204, 205, 304})


def require_response_models(module: str, routes: Iterable[BaseRoute]) -> None:
    """Raise ModuleError naming every route that lacks a response model; included routers are looked into.

    A route needs none when its answer has no content (204, 304), or when its `response_class` is not JSON.
    """
    lacking = [context for context in iter_route_contexts(list(routes)) if _lacks_model(context.original_route)]
    if lacking:
        named = ", ".join(_describe(context) for context in lacking)
        reason = f"no response model: {named}; annotate what it returns, or pass response_model or response_class"
        raise ModuleError(module, _place(lacking[0]), reason)


def _lacks_model(route: BaseRoute) -> bool:
    if not isinstance(route, APIRoute) or route.status_code in _EMPTY or not _is_json(route):
        return False
    # What a generator yields is its model.
    return route.stream_item_type is None and route.response_model in (None, Any)


def _is_json(route: APIRoute) -> bool:
    chosen = route.response_class
    return isinstance(chosen, DefaultPlaceholder) or issubclass(chosen, JSONResponse)


def _describe(route: RouteContext) -> str:
    name = getattr(route.endpoint, "__qualname__", route.name)
    return f"{'/'.join(sorted(route.methods or ()))} {route.path} ({name})"


def _place(route: RouteContext) -> Place:
    code = getattr(route.endpoint, "__code__", None)
    return Place(code.co_filename, code.co_firstlineno) if code else Place("api")
