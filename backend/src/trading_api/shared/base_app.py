"""What the two kinds of app here have in common."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from trading_api.shared.edge import Origins, edge
from trading_api.shared.problems import EXCEPTION_HANDLERS
from trading_api.shared.specs.openapi import completed

_PASSED = "trading_api.edge_passed"


class BaseApp(FastAPI):
    """A FastAPI app whose errors are problems, and whose requests pass the edge once, even if it is mounted."""

    def __init__(
        self,
        *,
        title: str,
        version: str,
        description: str,
        lifespan: Lifespan[Any],
        body_limit: int,
        origins: Origins | None = None,
        gate: Callable[[ASGIApp], ASGIApp] | None = None,
    ) -> None:
        """`gate` wraps what serves: every connection passes it, also where the app is mounted."""
        super().__init__(
            title=title,
            version=version,
            description=description,
            lifespan=lifespan,
            # The documents and their pages are served by routes of our own (`docs_pages`).
            openapi_url=None,
            # A redirect would repeat the Host header that a client sent; a wrong path is a 404.
            redirect_slashes=False,
            generate_unique_id_function=_operation_id,
            exception_handlers=EXCEPTION_HANDLERS.copy(),
        )
        self.tag_descriptions: Mapping[str, str] = {}
        self._inner = gate(self.serve_inside) if gate else self.serve_inside
        self._outer = edge(self._inner, body_limit, origins)

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's stack without what the edge does: its own net would answer in another shape, and twice."""
        app: ASGIApp = AsyncExitStackMiddleware(self.router)
        app = ExceptionMiddleware(app, handlers=self.exception_handlers, debug=self.debug)
        for middleware, args, kwargs in reversed(self.user_middleware):
            app = middleware(app, *args, **kwargs)
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or run the lifespan."""
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
        elif _PASSED in scope:
            await self._inner(scope, receive, send)
        else:
            scope[_PASSED] = True
            # RFC 9110: HEAD is GET without the content, which the server leaves out by its own, untouched scope.
            get = {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope
            await self._outer(get, receive, send)

    async def serve_inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection that has passed the edge. Leaves out FastAPI's telemetry, which costs time unused."""
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of this app's own routes."""
        return completed(super().openapi(), self.tag_descriptions)


def _operation_id(route: APIRoute) -> str:
    """An operation id that no route's place changes: the name of its function, for those that give none."""
    return route.name
