"""Builds the app that a process serves. Importing this starts nothing, writes nothing, and imports no module."""

from collections.abc import Iterator, Mapping

from trading_api.settings import Settings
from trading_api.shared.loading import load_api, load_module, load_ws
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import ModuleFolder, Selection, installed_modules, select


def create_app(settings: Settings, folders: Mapping[str, ModuleFolder] | None = None) -> ModularApp:
    """The app of the modules that `settings` enables, out of `folders` (default: all that are installed).

    Raises ModuleError naming the first module that cannot be served, its file and the cause.
    """
    selections = select(installed_modules() if folders is None else folders, settings.enabled_modules)
    apps = [app for selection in selections for app in _module_apps(selection, settings)]
    return ModularApp(apps, settings.base_url, settings.body_limit)


def _module_apps(selection: Selection, settings: Settings) -> Iterator[ModuleApp]:
    """One app per version, all of one module instance: its service is shared."""
    module = load_module(selection, settings)
    for version in selection.versions:
        api = load_api(selection.folder, module, version, selection.versions)
        yield ModuleApp(module, api, load_ws(selection.folder, version))
