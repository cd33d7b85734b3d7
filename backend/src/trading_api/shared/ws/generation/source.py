"""The declaration file of one version of a module, and where it stands."""

from dataclasses import dataclass
from pathlib import Path

GENERATED = "ws_generated"


@dataclass(frozen=True, slots=True)
class WsFolder:
    """A folder `…/<module>/ws/<version>/`, imported as `package`."""

    path: Path
    package: str

    @property
    def module(self) -> str:
        """The name of the module it belongs to."""
        return self.path.parents[1].name

    @property
    def file(self) -> Path:
        """The file that holds the declarations."""
        return self.path / "__init__.py"

    @property
    def generated(self) -> Path:
        """The folder of the generated files."""
        return self.path / GENERATED

    @property
    def generated_package(self) -> str:
        """The import name of `generated`."""
        return f"{self.package}.{GENERATED}"

    @property
    def root(self) -> Path:
        """The folder that holds the top-level package."""
        return self.path.parents[self.package.count(".")]

    @property
    def top(self) -> str:
        """The name of the top-level package."""
        return self.package.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Source:
    """The declarations as they were read once: what is generated and its stamp follow from this text."""

    folder: WsFolder
    text: bytes


def ws_folder(path: Path, package: str | None = None) -> WsFolder:
    """The folder `path`. Without `package`, its import name is taken from the `__init__.py` files above the module."""
    if package is None:
        root = path.parents[2]
        while (root / "__init__.py").is_file():
            root = root.parent
        package = ".".join(path.relative_to(root).parts)
    return WsFolder(path, package)
