"""Imports this package's source as it is now, never as it was.

Python takes a `.pyc` for current when the source has the time (in whole seconds) and the size it had when compiled.
Two edits of equal size within one second would therefore serve the first. Here bytecode is neither used nor written
while that could be so: only if it was compiled after the second in which the source was last written.
"""

import importlib.util
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType


class FreshLoader(SourceFileLoader):
    """Loads a source file, and trusts bytecode only where it cannot be stale."""

    def path_stats(self, path: str) -> Mapping[str, int]:
        """Time and size of the source. Raises OSError, which has the source compiled, if bytecode may be stale."""
        stats: Mapping[str, int] = super().path_stats(path)
        if int(time.time()) <= int(stats["mtime"]) or _is_ambiguous(path, int(stats["mtime"])):
            raise OSError(f"bytecode of {path} could be stale")
        return stats


class FreshFinder(MetaPathFinder):
    """Finds the modules of one package as Python does, but has FreshLoader load them."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the package, or None for any other module."""
        if fullname.partition(".")[0] != self._package:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and type(spec.loader) is SourceFileLoader:
            spec.loader = FreshLoader(spec.loader.name, spec.loader.path)
        return spec


def install_fresh_import(package: str) -> None:
    """From now on, import `package` as its source is now."""
    sys.meta_path.insert(0, FreshFinder(package))


def _is_ambiguous(path: str, source_mtime: int) -> bool:
    """Whether bytecode exists that was compiled in the second in which the source was last written, or before."""
    try:
        return int(Path(importlib.util.cache_from_source(path)).stat().st_mtime) <= source_mtime
    except (OSError, NotImplementedError):
        return False
