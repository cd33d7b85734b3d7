"""Finds modules by their folders and loads the chosen ones. Looking at folders imports nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trading_api.settings import CORE_MODULE, ModuleChoice
from trading_api.shared.errors import ModuleError, Place

# Named as text, for this side of the code imports no module.
ROOT_PACKAGE = __name__.partition(".")[0]
PACKAGE_FOLDER = Path(__file__).parent.parent

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VERSION = re.compile(r"v[1-9][0-9]*")
# What is served beside the modules: `/api/v1/docs`, `/api/v1/ws`, `/api/v1/openapi.json`.
_RESERVED = frozenset({"docs", "openapi", "ws"})
# What was meant as a version, but is none: `V1`, `v01`, `v1_0`.
_NEARLY_VERSION = re.compile(r"v[0-9].*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModuleFolder:
    """A module as its folder shows it. The maps go from version to file or package: `{"v1": …/api/v1.py}`."""

    name: str
    package: str
    path: Path
    api: Mapping[str, Path]
    ws: Mapping[str, Path]

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions, oldest first: v2 comes before v10."""
        return tuple(sorted({*self.api, *self.ws}, key=lambda version: int(version[1:])))


@dataclass(frozen=True, slots=True)
class Selection:
    """A module to serve, and the versions of it, oldest first."""

    folder: ModuleFolder
    versions: tuple[str, ...]


def rest_prefix(name: str, version: str) -> str:
    """Where a version of a module is served, below the base URL."""
    return f"/{version}/{name}"


def discover(package: str, path: Path) -> dict[str, ModuleFolder]:
    """Every module below the folder `path`, whose import name is `package`, by name and sorted.

    Broken ones are listed too: a name or version that is wrong is `select`'s affair, when somebody wants it.
    """
    folders = sorted(entry for entry in path.iterdir() if _is_package(entry) and entry.name[0] not in "._")
    return {entry.name: _read_folder(package, entry) for entry in folders}


def installed_modules() -> dict[str, ModuleFolder]:
    """The modules of this installation."""
    return discover(f"{ROOT_PACKAGE}.modules", PACKAGE_FOLDER / "modules")


def known_versions(folders: Mapping[str, ModuleFolder]) -> dict[str, tuple[str, ...]]:
    """Module names and their versions, as `read_settings` wants them."""
    return {name: folder.versions for name, folder in folders.items()}


def select(folders: Mapping[str, ModuleFolder], choices: Iterable[ModuleChoice]) -> tuple[Selection, ...]:
    """What to serve: `choices`, or everything if there are none; core in any case.

    Raises ModuleError for a folder that cannot be a module, or a choice that is not there.
    """
    chosen = tuple(choices) or tuple(ModuleChoice(name) for name in folders)
    names = sorted({CORE_MODULE, *(choice.name for choice in chosen)})
    return tuple(_select_one(folders, name, [choice for choice in chosen if choice.name == name]) for name in names)


def _select_one(folders: Mapping[str, ModuleFolder], name: str, choices: list[ModuleChoice]) -> Selection:
    folder = folders.get(name)
    if folder is None:
        raise ModuleError(name, Place("modules"), f"there is no such folder; found: {', '.join(folders) or 'none'}")
    _check(folder)
    wanted = {choice.version for choice in choices} or {None}
    if None in wanted:
        return Selection(folder, folder.versions)
    for version in wanted:
        if version not in folder.versions:
            place = Place(str(folder.path))
            raise ModuleError(name, place, f"no version {version!r}; found: {', '.join(folder.versions)}")
    return Selection(folder, tuple(version for version in folder.versions if version in wanted))


def _check(folder: ModuleFolder) -> None:
    """Raise ModuleError unless the folder has the outer form of a module."""
    place = Place(str(folder.path))
    _check_name(folder.name, place)
    if not (folder.path / "__init__.py").is_file():
        raise ModuleError(folder.name, place, "there is no __init__.py; it must define the Module subclass")
    for entry in (*_entries(folder.path / "api"), *_entries(folder.path / "ws")):
        if _NEARLY_VERSION.fullmatch(entry.stem) and not _VERSION.fullmatch(entry.stem):
            raise ModuleError(folder.name, Place(str(entry)), f"{entry.stem!r} is no version; write v1, v2, …")
    for version, path in folder.api.items():
        if path.is_dir() and path.with_name(f"{version}.py").is_file():
            raise ModuleError(folder.name, Place(str(path)), f"api/{version}.py and api/{version}/ exist; keep one")
    if not folder.versions:
        raise ModuleError(folder.name, place, "there is neither api/v1.py, api/v1/ nor ws/v1/")


def _check_name(name: str, place: Place) -> None:
    if not _NAME.fullmatch(name):
        raise ModuleError(name, place, "a module's folder has a name of a-z, 0-9 and _, as in order_book")
    if name in _RESERVED:
        raise ModuleError(name, place, f"/v1/{name} belongs to the documents of all modules; use another name")


def _read_folder(package: str, path: Path) -> ModuleFolder:
    return ModuleFolder(
        name=path.name,
        package=f"{package}.{path.name}",
        path=path,
        api=dict(_versions(path / "api")),
        ws={version: entry for version, entry in _versions(path / "ws") if entry.is_dir()},
    )


def _versions(path: Path) -> Iterator[tuple[str, Path]]:
    return ((entry.stem, entry) for entry in _entries(path) if _VERSION.fullmatch(entry.stem))


def _entries(path: Path) -> list[Path]:
    """The python files and packages of a folder, files first, so that of two equal names the package is kept."""
    if not path.is_dir():
        return []
    found = (entry for entry in path.iterdir() if entry.suffix == ".py" or _is_package(entry))
    return sorted(found, key=lambda entry: (entry.is_dir(), entry.name))


def _is_package(path: Path) -> bool:
    # A folder with nothing but __pycache__ is what version control leaves of a deleted module.
    return path.is_dir() and any(path.glob("*.py"))
