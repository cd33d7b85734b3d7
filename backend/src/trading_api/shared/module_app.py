"""ModuleApp: one version of one module as an app of its own (A04)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from trading_api.shared.api.response_models import require_response_models
from trading_api.shared.base_app import BaseApp
from trading_api.shared.docs_pages.routes import document_routes
from trading_api.shared.errors import ModuleError, describe, place_of
from trading_api.shared.loading import AnyModule, AnyRouter, WsPackage
from trading_api.shared.registry import rest_prefix
from trading_api.shared.specs.module_documents import ModuleDocuments
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

    def _add_websockets(self, hub: Hub) -> None:
        self.router.routes.append(WebSocketRoute("/ws", WsEndpoint(hub), name="ws"))

        async def get_web_socket_statistics() -> WebSocketStatistics:
            """What the WebSockets of this process do: connections, topics, and what was delivered."""
            return hub.statistics()

        self.get("/ws-stats", operation_id="getWebSocketStatistics", tags=["status"])(get_web_socket_statistics)


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
