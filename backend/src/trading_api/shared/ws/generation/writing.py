"""Puts generated files in their folder: only those that differ, each at once, the index last (G09)."""

import importlib
import sys
from collections.abc import Mapping
from importlib.util import cache_from_source
from pathlib import Path

from trading_api.shared.atomic import holds, replace_if_different
from trading_api.shared.ws.generation.source import GENERATED, WsFolder
from trading_api.shared.ws.generation.stamp import INDEX


def write_files(folder: WsFolder, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Make the folder hold `files`; returns those that were written or removed. Raises OSError."""
    folder.generated.mkdir(exist_ok=True)
    order = [*(name for name in sorted(files) if name != INDEX), INDEX]
    changed = [folder.generated / name for name in order if _replace(folder.generated / name, files[name])]
    orphans = [entry for entry in folder.generated.iterdir() if _is_orphan(entry, files)]
    for orphan in orphans:
        _drop_bytecode(orphan)
        orphan.unlink()
    changed += orphans
    if changed:
        _forget(folder)
    return tuple(changed)


def _replace(path: Path, text: str) -> bool:
    if holds(path, text):
        return False
    # First, for whoever is killed in between must not leave the new source with bytecode of the old.
    _drop_bytecode(path)
    return replace_if_different(path, text)


def _is_orphan(entry: Path, files: Mapping[str, str]) -> bool:
    """A file of a router that is gone, or what a writer that was killed left (`.bars.py.…`)."""
    return entry.is_file() and entry.name not in files and (entry.suffix == ".py" or ".py." in entry.name)


def _drop_bytecode(path: Path) -> None:
    # Python trusts bytecode by the second and the size of the source: two versions may agree in both.
    for compiled in Path(cache_from_source(str(path))).parent.glob(f"{path.stem}.*.pyc"):
        compiled.unlink(missing_ok=True)


def _forget(folder: WsFolder) -> None:
    """Have the next import in this process read the files again."""
    package = folder.generated_package
    if folder.package in sys.modules:
        vars(sys.modules[folder.package]).pop(GENERATED, None)
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()
