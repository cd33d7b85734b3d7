"""The routes of documents and their pages, the same for one module and for all modules merged."""

from collections.abc import Callable, Iterator
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trading_api.shared.docs_pages.assets import ASSETS, digest, media_type, read_asset
from trading_api.shared.docs_pages.rendering import asyncapi_page, openapi_page
from trading_api.shared.docs_pages.serving import PLAIN_POLICY, SCRIPT_POLICY, answer, page_answer
from trading_api.shared.problems import ProblemError
from trading_api.shared.specs.canonical import Json, render_json

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_ALWAYS = "no-cache"
_NOTHING = "There is nothing at this path."


class Documents(Protocol):
    """Gives the documents of what is served at the path `url`. Raises ProblemError when it cannot."""

    @property
    def title(self) -> str: ...
    def openapi(self, url: str) -> Json: ...
    def asyncapi(self, url: str) -> Json | None: ...


_Find = Callable[[Request], tuple[str, Documents]]
"""The documents that a request asks for, and the path of what they describe, below the app's own."""


def document_routes(documents: Documents, *, websockets: bool) -> Iterator[Route]:
    """The routes of an app's own documents: OpenAPI and its page, and with `websockets` AsyncAPI and its page."""
    return _routes("", lambda _request: ("", documents), websockets)


def versions_document_routes(find: Callable[[str], Documents | None], base_url: str) -> Iterator[Route]:
    """The same routes at `{base_url}/{version}`. Each request asks `find` for the documents; None is a 404."""

    def found(request: Request) -> tuple[str, Documents]:
        version = request.path_params["version"]
        documents = find(version)
        if documents is None:
            raise ProblemError(404, _NOTHING)
        return f"{base_url}/{version}", documents

    return _routes(f"{base_url}/{{version}}", found, websockets=True)


def _routes(prefix: str, find: _Find, websockets: bool) -> Iterator[Route]:
    """The endpoints are plain functions, so they run in the thread pool: reading and rendering never block the loop."""

    def found(request: Request) -> tuple[str, Documents]:
        below, documents = find(request)
        return f"{request.scope.get('root_path', '')}{below}", documents

    def openapi(request: Request) -> Response:
        root, documents = found(request)
        return _json(request, documents.openapi(root))

    def docs(request: Request) -> Response:
        root, documents = found(request)
        return page_answer(request, openapi_page(documents.title, root), SCRIPT_POLICY)

    def asset(request: Request) -> Response:
        found(request)
        return _asset(request, request.path_params["name"])

    def asyncapi(request: Request) -> Response:
        root, documents = found(request)
        return _json(request, _existing(documents.asyncapi(root)))

    def ws_docs(request: Request) -> Response:
        root, documents = found(request)
        return page_answer(request, asyncapi_page(_existing(documents.asyncapi(root)), root), PLAIN_POLICY)

    yield _route(f"{prefix}/openapi.json", openapi)
    yield _route(f"{prefix}/docs", docs)
    # What a page loads is addressed from the root, so it is the same page here.
    yield _route(f"{prefix}/docs/", docs)
    yield _route(f"{prefix}/docs/{{name}}", asset)
    if websockets:
        yield _route(f"{prefix}/ws/asyncapi.json", asyncapi)
        yield _route(f"{prefix}/ws/docs", ws_docs)


def _route(path: str, endpoint: Callable[[Request], Response]) -> Route:
    return Route(path, endpoint, methods=["GET"], include_in_schema=False)


def _json(request: Request, document: Json) -> Response:
    return answer(request, render_json(document).encode(), "application/json", cache_control=_ASK_ALWAYS)


def _existing(document: Json | None) -> Json:
    if document is None:
        raise ProblemError(404, "There are no WebSockets here.")
    return document


def _asset(request: Request, name: str) -> Response:
    if name not in ASSETS:
        raise ProblemError(404, _NOTHING)
    # The pages name the content in the query; without that, nothing says that it will stay the same.
    named = request.query_params.get("v") == digest(name)
    return answer(request, read_asset(name), media_type(name), cache_control=_FOR_EVER if named else _ASK_ALWAYS)
