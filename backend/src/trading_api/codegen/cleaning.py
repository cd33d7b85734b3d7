"""Removes exactly what is generated (G01). The next `generate`, or start of the tree, makes it again (G06)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from trading_api.codegen.lock import locked
from trading_api.codegen.site import Site, generated_folders
from trading_api.codegen.stamp import stamp_path


def clean_generated(site: Site) -> list[Path]:
    """Remove every generated folder, the manifest and the stamp; what was removed. Raises OSError."""
    with locked(site.package, writing=True):
        stamp_path(site.package).unlink(missing_ok=True)
        return list(_removed(site))


def _removed(site: Site) -> Iterator[Path]:
    for folder in generated_folders(site):
        if folder.is_dir():
            shutil.rmtree(folder)
            yield folder
    if site.manifest.is_file():
        site.manifest.unlink()
        yield site.manifest
