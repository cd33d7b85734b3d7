"""Which source files a server uses, hence watches."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

# Written by the generator from the rest: an edit of a source must not be followed by a second reload (M05).
GENERATED = frozenset({"specs_generated", "client_generated", "ws_generated", "clients"})
_UNUSED = frozenset({"__pycache__", "codegen", "tests", "docs", "templates"})
SKIPPED_FOLDERS = GENERATED | _UNUSED
_COMMON_FOLDERS = frozenset({"shared", "server"})


def is_source(path: PurePath) -> bool:
    """Whether `path`, relative to the package, is code that some server could use."""
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix == ".py" and not hidden and not SKIPPED_FOLDERS.intersection(path.parts)


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the source that one server uses, by names below `modules/` and `models/`; None means all of them."""

    modules: frozenset[str] | None = None
    models: frozenset[str] | None = None

    def covers(self, path: PurePath) -> bool:
        """Whether the server uses the file at `path`, relative to the package."""
        top, *rest = path.parts
        if not is_source(path):
            return False
        if not rest or rest == ["__init__.py"] or top in _COMMON_FOLDERS:
            return True
        used = {"modules": self.modules, "models": self.models}.get(top, frozenset())
        return used is None or rest[0] in used


def models_among(loaded: Iterable[PurePath]) -> frozenset[str]:
    """The files and packages below `models/` that the loaded files belong to."""
    return frozenset(path.parts[1] for path in loaded if len(path.parts) > 1 and path.parts[0] == "models")
