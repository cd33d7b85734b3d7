"""Renders clients as a package of their own, to be built and published without the backend."""

from collections.abc import Sequence

from trading_api.codegen.clients.index import render_index
from trading_api.codegen.clients.module_client import render_module_client
from trading_api.codegen.clients.naming import client_class_name, sync_client_class_name
from trading_api.codegen.clients.quick_start import quick_start
from trading_api.codegen.clients.source import ClientSource
from trading_api.codegen.clients.template import render

FOLDER = "client_generated"


def render_package(sources: Sequence[ClientSource]) -> dict[str, str]:
    """The files of a folder that builds into the wheel `trading-api-clients`, by path relative to it.

    `client_generated/` is the package; its imports are relative, so it also works where it lies.
    """
    clients = {}
    for source in sources:
        clients.update(render_module_client(source, runtime=".runtime"))
    python = {name: text for name, text in clients.items() if name.endswith(".py")}
    typescript = {f"typescript/{name}": text for name, text in clients.items() if name.endswith(".ts")}
    package = {**python, **typescript, **render_index(sources, package=".")}
    return {
        "pyproject.toml": render("pyproject.toml.j2"),
        "README.md": render("README.md.j2", clients=_described(sources), start=quick_start(sources)),
        **{f"{FOLDER}/{name}": text for name, text in sorted(package.items())},
    }


def _described(sources: Sequence[ClientSource]) -> list[tuple[str, str, str]]:
    return [
        (f"{source.module} {source.version}", client_class_name(source), sync_client_class_name(source))
        for source in sorted(sources, key=lambda source: (source.module, source.version))
    ]
