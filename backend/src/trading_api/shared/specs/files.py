"""The committed documents: where they stand, and how a running app writes its own."""

from pathlib import Path
from typing import Literal, Protocol

from trading_api.shared.atomic import replace_if_different
from trading_api.shared.specs.canonical import Json, render_json
from trading_api.shared.specs.info import DEFAULT_BASE_URL
from trading_api.shared.specs.module_documents import ModuleDocuments

Kind = Literal["openapi", "asyncapi"]
KINDS: tuple[Kind, ...] = ("openapi", "asyncapi")
SPECS_FOLDER = "specs_generated"


class _Module(Protocol):
    @property
    def name(self) -> str: ...


class SpecifiedApp(Protocol):
    """What is needed of a ModuleApp."""

    @property
    def module(self) -> _Module: ...
    @property
    def version(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def documents(self) -> ModuleDocuments: ...


def spec_path(folder: Path, module: str, version: str, kind: Kind) -> Path:
    """Where a document of a module stands; `folder` is the module's own."""
    return folder / SPECS_FOLDER / f"{module}_{version}_{kind}.json"


def module_specs(app: SpecifiedApp) -> dict[Kind, Json]:
    """The documents of `app` as they are committed: below the default base URL, whatever this process serves at."""
    url = f"{DEFAULT_BASE_URL}{app.prefix}"
    found: dict[Kind, Json] = {"openapi": app.documents.openapi(url)}
    asyncapi = app.documents.asyncapi(url)
    return found if asyncapi is None else {**found, "asyncapi": asyncapi}


def write_module_specs(app: SpecifiedApp, folder: Path) -> list[Path]:
    """Bring the documents of `app` up to date in the module's `folder`; the files that changed. Raises OSError."""
    specs = module_specs(app)
    (folder / SPECS_FOLDER).mkdir(exist_ok=True)
    paths = {spec_path(folder, app.module.name, app.version, kind): specs.get(kind) for kind in KINDS}
    return [path for path, document in paths.items() if _write(path, document)]


def _write(path: Path, document: Json | None) -> bool:
    """Make the file hold `document`, or be gone. Whether that changed anything."""
    if document is not None:
        return replace_if_different(path, render_json(document))
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed
