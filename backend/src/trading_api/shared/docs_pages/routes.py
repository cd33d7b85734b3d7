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


class Documents(Protocol):
    """Gives the documents of what is served at the path `url`. Raises ProblemError when it cannot."""

    @property
    def title(self) -> str: ...
    def openapi(self, url: str) -> Json: ...
    def asyncapi(self, url: str) -> Json | None: ...


def document_routes(documents: Documents, prefix: str = "", *, websockets: bool) -> Iterator[Route]:
    """The routes at `prefix`: the OpenAPI document and its page, and with `websockets` the AsyncAPI ones.

    The endpoints are plain functions, so they run in the thread pool: reading and rendering never block the event loop.
    """

    def root(request: Request) -> str:
        return f"{request.scope.get('root_path', '')}{prefix}"

    def openapi(request: Request) -> Response:
        return _json(request, documents.openapi(root(request)))

    def docs(request: Request) -> Response:
        return page_answer(request, openapi_page(documents.title, root(request)), SCRIPT_POLICY)

    def asset(request: Request) -> Response:
        return _asset(request, request.path_params["name"])

    def asyncapi(request: Request) -> Response:
        return _json(request, _existing(documents.asyncapi(root(request))))

    def ws_docs(request: Request) -> Response:
        url = root(request)
        return page_answer(request, asyncapi_page(_existing(documents.asyncapi(url)), url), PLAIN_POLICY)

    yield _route(f"{prefix}/openapi.json", openapi)
    yield _route(f"{prefix}/docs", docs)
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
        raise ProblemError(404, "There is nothing at this path.")
    # The pages name the content in the query; without that, nothing says that it will stay the same.
    named = request.query_params.get("v") == digest(name)
    return answer(request, read_asset(name), media_type(name), cache_control=_FOR_EVER if named else _ASK_ALWAYS)
