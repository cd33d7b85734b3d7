"""`manifest.json`: what the deployment tool must know of the modules. It reads the file and never imports the code."""

import json
from collections.abc import Iterable, Mapping

from trading_api.shared.loading import load_module_class, load_ws
from trading_api.shared.registry import ModuleFolder, Selection, rest_prefix, select

Json = dict[str, object]
FORMAT = 1


def render_manifest(folders: Mapping[str, ModuleFolder]) -> str:
    """The text of the manifest of all modules in `folders`. Imports them, but makes and starts none.

    Raises ModuleError naming a module that cannot be loaded, or whose generated routers are stale.
    """
    document = {"format": FORMAT, "modules": _modules(select(folders, ()))}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _modules(selections: Iterable[Selection]) -> Json:
    return {selection.folder.name: _module(selection) for selection in selections}


def _module(selection: Selection) -> Json:
    traits = sorted(load_module_class(selection.folder).traits)
    return {"traits": traits, "versions": {version: _version(selection, version) for version in selection.versions}}


def _version(selection: Selection, version: str) -> Json:
    ws = load_ws(selection.folder, version)
    prefix = rest_prefix(selection.folder.name, version)
    return {
        "rest_prefix": prefix,
        "health_path": f"{prefix}/health",
        "ws_path": f"{prefix}/ws" if ws else None,
        "ws_routes": sorted(ws.routes) if ws else [],
    }
