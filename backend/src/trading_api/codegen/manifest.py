"""`manifest.json`: what the deployment tool must know of the modules. It reads the file and never imports the code."""

import json
from collections.abc import Iterable, Iterator, Mapping

from trading_api.codegen.differ.document import Node, node
from trading_api.codegen.documents import Documents, SpecName
from trading_api.shared.loading import load_module_class, load_ws
from trading_api.shared.registry import ModuleFolder, Selection, rest_prefix, select

Json = dict[str, object]
FORMAT = 1


def render_manifest(folders: Mapping[str, ModuleFolder], documents: Documents) -> str:
    """The text of the manifest of all modules in `folders`, whose contracts are among `documents`.

    Imports them, but makes and starts none. Raises ModuleError naming a module that cannot be loaded, or whose
    generated routers are stale.
    """
    document = {"format": FORMAT, "modules": _modules(select(folders, ()), documents)}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _modules(selections: Iterable[Selection], documents: Documents) -> Json:
    return {selection.folder.name: _module(selection, documents) for selection in selections}


def _module(selection: Selection, documents: Documents) -> Json:
    traits = sorted(load_module_class(selection.folder).all_traits())
    versions = {version: _version(selection, version, documents) for version in selection.versions}
    return {"traits": traits, "versions": versions}


def _version(selection: Selection, version: str, documents: Documents) -> Json:
    ws = load_ws(selection.folder, version)
    prefix = rest_prefix(selection.folder.name, version)
    return {
        "rest_prefix": prefix,
        "health_path": f"{prefix}/health",
        "ws_path": f"{prefix}/ws" if ws else None,
        "ws_routes": sorted(ws.routes) if ws else [],
        "safe_posts": sorted(
            _safe_posts(prefix, documents.get(SpecName(selection.folder.name, version, "openapi"), {}))
        ),
    }


def _safe_posts(prefix: str, openapi: Node) -> Iterator[str]:
    """The paths whose POST is declared to change nothing. One with a parameter is no exact path, and is left out."""
    for path, operations in node(openapi.get("paths")).items():
        if node(node(operations).get("post")).get("x-safe") is True and "{" not in path:
            yield prefix + path
