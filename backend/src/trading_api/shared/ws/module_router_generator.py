"""The door to the router generator: brings `ws/<version>/ws_generated/` of a module in line with its declarations.

Importing this is cheap: what generates is imported when something must be generated.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trading_api.shared.errors import Place
from trading_api.shared.registry import ModuleFolder, installed_modules
from trading_api.shared.ws.generation.lock import locked
from trading_api.shared.ws.generation.problem import (
    DeclarationError,
    Problem,
    RoutersError,
    RoutersNotWritableError,
    StaleRoutersError,
)
from trading_api.shared.ws.generation.source import Source, WsFolder, ws_folder
from trading_api.shared.ws.generation.stamp import is_current

__all__ = [
    "DeclarationError",
    "Problem",
    "RoutersError",
    "RoutersNotWritableError",
    "StaleRoutersError",
    "ensure_routers",
    "generate_module_routers",
    "routers_current",
]

# How often the declarations may be edited while they are read, until one of their states is taken.
_ATTEMPTS = 5


def ensure_routers(ws_package: Path, *, write: bool, package: str | None = None) -> None:
    """Have the generated routers of a folder `…/<module>/ws/<version>/` current: what a state since the call generates.

    To import them, use `routers_current`. Raises as that does.
    """
    with routers_current(ws_package, write=write, package=package):
        pass


@contextmanager
def routers_current(ws_package: Path, *, write: bool, package: str | None = None) -> Iterator[None]:
    """Inside, `ws_generated/` is what the declarations generate, and no process replaces it: import it here.

    With declarations that are edited all the while, it is of one of the states since the call.

    Stale ones are regenerated with `write`, else refused. `package` is the folder's import name; without it, the
    `__init__.py` files tell. Not reentrant. Raises StaleRoutersError, DeclarationError, RoutersNotWritableError.
    """
    folder = ws_folder(ws_package, package)
    with _locked(folder, exclusive=False):
        if is_current(_read(folder)):
            yield
            return
    if not write:
        raise StaleRoutersError(folder.module, folder.generated)
    with _locked(folder, exclusive=True):
        _regenerate(folder, formatted=False)
        yield


def generate_module_routers(
    module: str,
    *,
    silent: bool = True,
    skip_quality_checks: bool = False,
    folders: Mapping[str, ModuleFolder] | None = None,
) -> bool:
    """Generate the routers of every version of a module that has any; False if it has no `ws/`.

    `skip_quality_checks` leaves out formatting, which needs black. `silent=False` prints a line for every file that
    was written. `folders` are the modules to choose from, by default those installed. Raises RuntimeError naming the
    module: it is unknown, its declarations have mistakes (then nothing is written), its folder cannot be written.
    """
    known = installed_modules() if folders is None else folders
    if module not in known:
        found = ", ".join(known) or "none"
        raise RoutersError(module, Place("modules"), f"there is no such module; known: {found}")
    chosen = [ws_folder(path, f"{known[module].package}.ws.{version}") for version, path in known[module].ws.items()]
    for folder in chosen:
        _check(folder)
    for folder in chosen:
        with _locked(folder, exclusive=True):
            changed = _regenerate(folder, formatted=not skip_quality_checks)
        for path in () if silent else changed:
            print(f"{path}: {'written' if path.is_file() else 'removed'}")
    return bool(chosen)


def _check(folder: WsFolder) -> None:
    """Raise what keeps a stale version from being generated, so that no other version is written before."""
    _next_files(folder, formatted=False)


def _regenerate(folder: WsFolder, *, formatted: bool) -> tuple[Path, ...]:
    """Bring the folder in line with its declarations; returns what was written.

    They may be edited meanwhile: then it is done again, but not for ever. What was generated last is of a text that
    stood there during the call; nobody can be told more, for the next edit may follow the return.
    """
    changed: tuple[Path, ...] = ()
    for _ in range(_ATTEMPTS):
        files = _next_files(folder, formatted=formatted)
        if files is None:
            break
        from trading_api.shared.ws.generation.generator import write_generated

        changed += write_generated(folder, files)
    return changed


def _next_files(folder: WsFolder, *, formatted: bool) -> dict[str, str] | None:
    """What the folder must hold, None if it does. Raises DeclarationError.

    A mistake in a text that was replaced since is none: it may have been half an edit, or types of two ages.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        source = _read(folder)
        if is_current(source, formatted=formatted):
            return None
        from trading_api.shared.ws.generation.generator import generate_files

        try:
            return generate_files(source, formatted=formatted)
        except DeclarationError:
            if attempt == _ATTEMPTS or _read(folder) == source:
                raise
    raise AssertionError("the last attempt returns or raises")


def _read(folder: WsFolder) -> Source:
    try:
        return Source(folder, folder.file.read_bytes())
    except OSError as error:
        reason = f"the declarations cannot be read: {error.strerror or error}"
        raise RoutersError(folder.module, Place(str(folder.file)), reason) from error


@contextmanager
def _locked(folder: WsFolder, *, exclusive: bool) -> Iterator[None]:
    """The lock of the version's folder, whose own failure is told as one of the module's."""
    try:
        lock = locked(folder.path, exclusive=exclusive)
        lock.__enter__()
    except OSError as error:
        reason = f"the folder cannot be locked: {error.strerror or error}"
        raise RoutersError(folder.module, Place(str(folder.path)), reason) from error
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
