"""ModuleApp: one version of one module as an app of its own (A04)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from trading_api.shared.base_app import BaseApp
from trading_api.shared.errors import ModuleError, describe, place_of
from trading_api.shared.loading import AnyModule, AnyRouter, WsPackage
from trading_api.shared.registry import rest_prefix

AppLifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class ModuleApp(BaseApp):
    """REST, `/ws`, docs and specs of one version of a module. Runs alone, or mounted in a ModularApp."""

    def __init__(self, module: AnyModule, api: AnyRouter, ws: WsPackage | None = None) -> None:
        super().__init__(
            title=f"{module.name} {api.version}",
            version=api.version,
            description=type(module).__doc__ or "",
            lifespan=_lifespan(module),
            body_limit=module.settings.body_limit,
        )
        self.module = module
        self.prefix = rest_prefix(module.name, api.version)
        """Where the app is mounted, below the base URL."""
        self.ws_routes = ws.routes if ws else ()
        self.include_router(api)
        if ws:
            self.include_router(ws.router, prefix="/ws")


def _lifespan(module: AnyModule) -> AppLifespan:
    """The module's hooks as a lifespan. Raises ModuleError, naming the module, when one of them fails."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = module.running()
        await _guard(module, "start-up", running.__aenter__)
        try:
            yield
        finally:
            await _guard(module, "shutdown", lambda: running.__aexit__(None, None, None))

    return lifespan


async def _guard(module: AnyModule, phase: str, hook: Callable[[], Awaitable[object]]) -> None:
    try:
        await hook()
    except Exception as error:  # The boundary to a module's own code, as in `loading`.
        place = place_of(error, module.folder())
        raise ModuleError(module.name, place, f"its {phase} failed: {describe(error)}") from error
