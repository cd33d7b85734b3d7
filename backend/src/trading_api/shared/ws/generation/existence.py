"""Whether a dotted name exists, looked up in the source files of one package without importing them."""

import ast
import difflib
from pathlib import Path

from trading_api.shared.ws.generation.bindings import Bindings, read_bindings


class SourceTree:
    """The top-level package of a declaration file. `root` is the folder that holds it, `top` its name."""

    def __init__(self, root: Path, top: str) -> None:
        self._root = root
        self._top = top
        self._names: dict[Path, set[str] | None] = {}

    def missing(self, dotted: str) -> str | None:
        """Why `dotted` cannot be imported, in words; None where it can, or where only an import would tell."""
        top, *rest = dotted.split(".")
        if top != self._top:
            return None
        folder, module = self._root / top, top
        while rest and (folder / rest[0]).is_dir():
            folder, module = folder / rest[0], f"{module}.{rest.pop(0)}"
        file = folder / "__init__.py"
        if rest and (folder / f"{rest[0]}.py").is_file():
            file, module = folder / f"{rest[0]}.py", f"{module}.{rest.pop(0)}"
        return self._missing_in(file, module, rest[0]) if rest else None

    def _missing_in(self, file: Path, module: str, name: str) -> str | None:
        if file not in self._names:
            self._names[file] = _names_of(file)
        names = self._names[file]
        if names is None or name in names:
            return None
        close = difflib.get_close_matches(name, names, n=1)
        return f"{name!r} does not exist in {module}" + (f"; did you mean {close[0]!r}?" if close else "")


def _names_of(file: Path) -> set[str] | None:
    """The names that can be imported from a file; None where its text does not tell."""
    if not file.is_file():
        return set()
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None
    bindings: Bindings = read_bindings(tree, "")
    dynamic = bindings.stars or "__getattr__" in bindings.names
    return None if dynamic else bindings.run_time_names() | {"__doc__", "__file__", "__name__"}
