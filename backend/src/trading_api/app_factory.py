"""Builds the app that a process serves. Importing this starts nothing, writes nothing, and imports no module."""

from collections.abc import Iterator, Mapping

from trading_api.settings import Settings
from trading_api.shared.edge import origins_of
from trading_api.shared.loading import check_ws_service, load_api, load_module, load_ws
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import ModuleFolder, Selection, installed_modules, select
from trading_api.shared.specs.deployment import deployment_documents


def create_app(settings: Settings, folders: Mapping[str, ModuleFolder] | None = None) -> ModularApp:
    """The app of the modules that `settings` enables, out of `folders` (default: all that are installed).

    Raises ModuleError naming the first module that cannot be served, its file and the cause.
    """
    found = installed_modules() if folders is None else folders
    selections = select(found, settings.enabled_modules)
    apps = [app for selection in selections for app in module_apps(selection, settings)]
    merged = deployment_documents(apps, found, settings.deployed_modules)
    return ModularApp(apps, settings.base_url, settings.body_limit, merged, origins_of(settings))


def module_apps(selection: Selection, settings: Settings) -> Iterator[ModuleApp]:
    """One app per version, all of one module instance: its service is shared."""
    module = load_module(selection, settings)
    for version in selection.versions:
        api = load_api(selection.folder, module, version, selection.versions)
        ws = load_ws(selection.folder, version, write=settings.development)
        if ws:
            check_ws_service(selection.folder, module, ws)
        yield ModuleApp(module, api, ws)
