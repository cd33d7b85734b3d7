"""Where in a checkout of the source a new module goes."""

from dataclasses import dataclass
from pathlib import Path

from trading_api.codegen.new_module.request import NewModule


@dataclass(frozen=True, slots=True)
class Checkout:
    """The folders of a checkout that hold a part of every module. `root` is where the Makefile stands."""

    root: Path
    package: Path

    @classmethod
    def around(cls, package: Path) -> "Checkout | None":
        """The checkout that holds the folder `package`; None where it stands alone, as an installed one does."""
        root = package.parents[2]
        return cls(root, package) if (root / "pyproject.toml").is_file() and (root / "tests").is_dir() else None

    def parts(self, module: NewModule) -> dict[str, Path]:
        """Part (a folder of templates) → the folder it becomes. In the order of writing: what others import first."""
        return {
            "models": self.package / "models" / module.name,
            "tests": self.root / "tests" / "unit" / module.name,
            "module": self.package / "modules" / module.name,
        }

    def taken(self, module: NewModule) -> tuple[Path, ...]:
        """What stands already where the module, or an import of it, would be looked for."""
        folders = self.parts(module)
        files = [folders[part].with_suffix(".py") for part in ("models", "module")]
        return tuple(path for path in (*folders.values(), *files) if path.is_symlink() or path.exists())

    def shown(self, path: Path) -> str:
        """`path` as seen from the root, if it is below."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)
