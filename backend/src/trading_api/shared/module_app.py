"""ModuleApp: one version of one module as an app of its own (A04)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from fastapi import FastAPI
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from trading_api.shared.api.response_models import require_response_models
from trading_api.shared.base_app import BaseApp
from trading_api.shared.docs_pages.routes import document_routes
from trading_api.shared.edge import origins_of
from trading_api.shared.errors import ModuleError, Place, describe, place_of
from trading_api.shared.loading import AnyModule, AnyRouter, WsPackage
from trading_api.shared.registry import rest_prefix
from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.module_documents import ModuleDocuments
from trading_api.shared.specs.security import secured
from trading_api.shared.users.errors import KeyUnusable
from trading_api.shared.users.gate import UserGate, make_verifier
from trading_api.shared.ws.endpoint import WsEndpoint
from trading_api.shared.ws.hub import Hub
from trading_api.shared.ws.service import WsService
from trading_api.shared.ws.statistics import WebSocketStatistics

AppLifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class ModuleApp(BaseApp):
    """REST, `/ws`, docs and specs of one version of a module. Runs alone, or mounted in a ModularApp."""

    def __init__(self, module: AnyModule, api: AnyRouter, ws: WsPackage | None = None) -> None:
        self.hub = _hub(module, ws) if ws else None
        """The version's WebSockets, if it has any."""
        super().__init__(
            title=f"{module.name} {api.version}",
            version=api.version,
            description=type(module).__doc__ or "",
            lifespan=_lifespan(module, self.hub),
            body_limit=module.settings.body_limit,
            origins=origins_of(module.settings),
            gate=_gate(module) if module.needs_user else None,
        )
        self.module = module
        self.prefix = rest_prefix(module.name, api.version)
        """Where the app is mounted, below the base URL."""
        self.ws = ws
        self.ws_routes = ws.routes if ws else ()
        self.tag_descriptions = api.tag_descriptions
        self.documents = ModuleDocuments(
            title=self.title,
            version=api.version,
            description=self.description,
            openapi_source=self.openapi,
            routers=ws.routers if ws else None,
        )
        # Before `/ws`, below which some of them are.
        self.router.routes.extend(document_routes(self.documents, websockets=ws is not None))
        require_response_models(module.name, api.routes)
        self.include_router(api)
        if self.hub:
            self._add_websockets(self.hub)

    def openapi(self) -> Json:
        """The OpenAPI document of this app's own routes, with how users prove who they are where it needs them."""
        document = super().openapi()
        return secured(document) if self.module.needs_user else document

    def _add_websockets(self, hub: Hub) -> None:
        self.router.routes.append(WebSocketRoute("/ws", WsEndpoint(hub), name="ws"))

        async def get_web_socket_statistics() -> WebSocketStatistics:
            """What the WebSockets of this process do: connections, topics, and what was delivered."""
            return hub.statistics()

        self.get("/ws-stats", operation_id="getWebSocketStatistics", tags=["status"])(get_web_socket_statistics)


def _gate(module: AnyModule) -> Callable[[ASGIApp], UserGate]:
    """What asks for a user. Raises ModuleError: there is no key that tokens could be checked with."""
    settings = module.settings
    try:
        verifier = make_verifier(settings.users)
    except KeyUnusable as error:
        raise ModuleError(module.name, Place("users"), str(error)) from None
    return lambda app: UserGate(app, verifier, origins_of(settings))


def _hub(module: AnyModule, ws: WsPackage) -> Hub:
    # That the service has the methods is checked where a module is loaded (`check_ws_service`).
    return Hub(cast("WsService", module.service), ws.routers)


def _lifespan(module: AnyModule, hub: Hub | None) -> AppLifespan:
    """The module's hooks as a lifespan. Raises ModuleError, naming the module, when one of them fails.

    The topics are removed before the module shuts down, whose service does that.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = module.running()
        await _guard(module, "start-up", running.__aenter__)
        if hub:
            hub.open()
        try:
            yield
        finally:
            try:
                if hub:
                    await hub.close()
            finally:
                await _guard(module, "shutdown", lambda: running.__aexit__(None, None, None))

    return lifespan


async def _guard(module: AnyModule, phase: str, hook: Callable[[], Awaitable[object]]) -> None:
    try:
        await hook()
    except Exception as error:  # The boundary to a module's own code, as in `loading`.
        place = place_of(error, module.folder())
        raise ModuleError(module.name, place, f"its {phase} failed: {describe(error)}") from error
