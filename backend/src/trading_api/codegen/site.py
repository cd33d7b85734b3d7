"""Site: the package that generation works on, and the places in it that are generated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trading_api.shared.registry import PACKAGE_FOLDER, ROOT_PACKAGE, ModuleFolder, discover

SPECS, CLIENT, ROUTERS = "specs_generated", "client_generated", "ws_generated"


@dataclass(frozen=True, slots=True)
class Site:
    """A package folder with `modules/` in it, and the modules found there, by name and sorted."""

    package: Path
    modules: Mapping[str, ModuleFolder]

    @property
    def manifest(self) -> Path:
        return self.package / "manifest.json"

    @property
    def index(self) -> Path:
        """The folder of the index of all clients."""
        return self.package / "clients"

    def module_folders(self) -> list[Path]:
        """Every folder below `modules/`, also that of a module whose source is gone."""
        return sorted(entry for entry in (self.package / "modules").iterdir() if entry.is_dir())

    def former_folders(self) -> list[Path]:
        """What is left of modules whose source is gone."""
        return [folder for folder in self.module_folders() if folder.name not in self.modules]


def installed_site() -> Site:
    """The package that runs."""
    return site_of(PACKAGE_FOLDER, ROOT_PACKAGE)


def site_of(package: Path, name: str) -> Site:
    """The package in the folder `package`, imported as `name`."""
    return Site(package, discover(f"{name}.modules", package / "modules"))


def generated_folders(site: Site) -> Iterator[Path]:
    """Every folder that holds nothing but generated files, whether it exists or not for a module in the site."""
    for folder in site.module_folders():
        yield folder / SPECS
        yield folder / CLIENT
        if (folder / "ws").is_dir():
            yield from (entry / ROUTERS for entry in sorted((folder / "ws").iterdir()) if entry.is_dir())
    yield site.index
