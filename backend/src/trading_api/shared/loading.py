"""Imports a module by name and makes its parts, or says with name, file and cause why that fails (A01)."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeGuard, TypeVar

from trading_api.settings import Settings
from trading_api.shared.api import APIRouterInterface
from trading_api.shared.api.interface import StatusRouter
from trading_api.shared.errors import ModuleError, Place, describe, place_of
from trading_api.shared.module import Module
from trading_api.shared.registry import ModuleFolder, Selection
from trading_api.shared.service import Service
from trading_api.shared.ws.module_router_generator import routers_current
from trading_api.shared.ws.route import AnyRoute, WsRoute
from trading_api.shared.ws.service import unmet_duty

T = TypeVar("T")
AnyModule = Module[Service]
AnyRouter = APIRouterInterface[Any]


@dataclass(frozen=True, slots=True)
class WsPackage:
    """What `ws/v1/` declares, as generated in `ws_generated/`."""

    routers: tuple[AnyRoute, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the routes."""
        return tuple(router.route for router in self.routers)


def load_module(selection: Selection, settings: Settings) -> AnyModule:
    """The module of a folder, made with `settings`. Raises ModuleError."""
    found = load_module_class(selection.folder)
    return _guard(selection.folder, lambda: found(settings))


def load_module_class(folder: ModuleFolder) -> type[AnyModule]:
    """The one Module subclass that `__init__.py` defines. Raises ModuleError."""
    source = _guard(folder, lambda: importlib.import_module(folder.package))
    found: type[AnyModule] = _only_class(folder, source, Module)
    return found


def load_api(folder: ModuleFolder, module: AnyModule, version: str, versions: tuple[str, ...]) -> AnyRouter:
    """The REST router of one version; the common routes alone where the version has WebSockets only."""
    if version not in folder.api:
        return StatusRouter(module, version, versions)
    source = _guard(folder, lambda: importlib.import_module(f"{folder.package}.api.{version}"))
    found: type[AnyRouter] = _only_class(folder, source, APIRouterInterface)
    return _guard(folder, lambda: found(module, version, versions))


def load_ws(folder: ModuleFolder, version: str, *, write: bool = False) -> WsPackage | None:
    """The routes of `ws/<version>/`, or None where the version has no WebSockets.

    Generated routers that are stale are generated anew with `write`, else refused. Raises ModuleError.
    """
    if version not in folder.ws:
        return None
    source = _guard(folder, lambda: _import_routers(folder, version, write))
    routers = getattr(source, "ROUTERS", None)
    if not isinstance(routers, tuple) or not all(map(_is_route, routers)):
        raise ModuleError(folder.name, _file_of(source), "no `ROUTERS`; run: make generate")
    package = WsPackage(routers)
    twice = sorted({route for route in package.routes if package.routes.count(route) > 1})
    if twice:
        raise ModuleError(folder.name, _file_of(source), f"two routers serve one route: {', '.join(twice)}")
    return package


def check_ws_service(folder: ModuleFolder, module: AnyModule, ws: WsPackage) -> None:
    """Raise ModuleError unless the module's service does what its WebSocket routes need of it."""
    unmet = unmet_duty(module.service, ws.routers)
    if unmet:
        service = type(module.service)
        raise ModuleError(folder.name, _file_of(sys.modules[service.__module__]), f"{service.__name__} {unmet}")


def _import_routers(folder: ModuleFolder, version: str, write: bool) -> ModuleType:
    package = f"{folder.package}.ws.{version}"
    with routers_current(folder.ws[version], write=write, package=package):
        return importlib.import_module(f"{package}.ws_generated")


def _is_route(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, WsRoute)


def _only_class(folder: ModuleFolder, source: ModuleType, base: type) -> type:
    """The one subclass of `base` that `source` (a file or package) defines itself."""
    found = {value for value in vars(source).values() if _is_own_class(value, source.__name__, base)}
    if len(found) != 1:
        names = ", ".join(sorted(value.__name__ for value in found)) or "none"
        reason = f"exactly one class must derive from {base.__name__}; found: {names}"
        raise ModuleError(folder.name, _file_of(source), reason)
    return found.pop()


def _is_own_class(value: object, source: str, base: type) -> TypeGuard[type]:
    if not isinstance(value, type) or not issubclass(value, base):
        return False
    return value.__module__ == source or value.__module__.startswith(f"{source}.")


def _file_of(source: ModuleType) -> Place:
    return Place(source.__file__ or source.__name__)


def _guard(folder: ModuleFolder, make: Callable[[], T]) -> T:
    """What `make` returns. The boundary to a module's own code: whatever it raises becomes a ModuleError."""
    try:
        return make()
    except ModuleError:
        raise
    except (Exception, SystemExit) as error:
        raise ModuleError(folder.name, place_of(error, folder.path), describe(error)) from error
