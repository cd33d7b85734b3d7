"""Builds what follows from one module: its routers, then from its apps the contracts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trading_api.app_factory import module_apps
from trading_api.codegen.documents import SpecName
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.errors import ModuleError, Place
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import ModuleFolder, select
from trading_api.shared.specs.canonical import Json, render_json
from trading_api.shared.specs.files import module_specs
from trading_api.shared.ws.generation.generator import generate_files
from trading_api.shared.ws.generation.source import Source, WsFolder, ws_folder
from trading_api.shared.ws.generation.stamp import is_current
from trading_api.shared.ws.module_router_generator import generate_module_routers


@dataclass(frozen=True)
class Contract:
    """One document of a module, and its text as it is committed."""

    name: SpecName
    document: Json
    text: str


def write_routers(folder: ModuleFolder, *, quick: bool) -> None:
    """Bring the routers of a module up to date. Raises ModuleError, and then its former files are as they were.

    `quick` leaves them unformatted, as watch mode does: then black is not needed.
    """
    generate_module_routers(folder.name, folders={folder.name: folder}, skip_quality_checks=quick)


def stale_routers(folder: ModuleFolder, *, quick: bool) -> Iterator[tuple[Path, dict[str, str]]]:
    """(folder, the files it must hold) of every version whose routers are stale. Writes nothing. Raises ModuleError.

    `quick` takes unformatted ones too.
    """
    for version, path in folder.ws.items():
        place = ws_folder(path, f"{folder.package}.ws.{version}")
        source = Source(place, _declarations(folder, place))
        if not is_current(source, formatted=not quick):
            yield place.generated, generate_files(source, formatted=not quick)


def build_contracts(folder: ModuleFolder, folders: Mapping[str, ModuleFolder]) -> list[Contract]:
    """The documents of every version of a module, one of `folders`. Imports and makes it, but starts nothing.

    Raises ModuleError.
    """
    chosen = select(folders, (ModuleChoice(folder.name),))
    (selection,) = (one for one in chosen if one.folder.name == folder.name)
    return [contract for app in module_apps(selection, Settings()) for contract in _contracts(folder, app)]


def _contracts(folder: ModuleFolder, app: ModuleApp) -> Iterator[Contract]:
    for kind, document in module_specs(app).items():
        yield Contract(SpecName(folder.name, app.version, kind), document, render_json(document))


def _declarations(folder: ModuleFolder, place: WsFolder) -> bytes:
    try:
        return place.file.read_bytes()
    except OSError as error:
        raise ModuleError(folder.name, Place(str(place.file)), f"cannot be read: {error.strerror or error}") from error
