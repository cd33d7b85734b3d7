"""Plan of files: what generated folders must hold; compared with the disk, or written to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trading_api.shared.atomic import holds, replace_if_different

State = Literal["stale", "missing", "orphan", "written", "removed"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that is not as it must be (`stale`, `missing`, `orphan`), or was not (`written`, `removed`)."""

    path: Path
    state: State


@dataclass
class FilePlan:
    """`files`, in the order in which they are to be written; all other files in `folders` are orphans.

    `kept` are files that are as they must be, without their text being known.
    """

    files: dict[Path, str] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)
    kept: set[Path] = field(default_factory=set)

    def add(self, folder: Path, files: Mapping[str, str]) -> None:
        """`folder` holds these files (name → text), beside those added before."""
        self.folders.add(folder)
        self.files.update({folder / name: text for name, text in files.items()})

    def drift(self) -> list[FileChange]:
        """What `apply` would do."""
        wrong = [FileChange(path, "stale" if path.exists() else "missing") for path in self._different()]
        return [*wrong, *(FileChange(path, "orphan") for path in self._orphans())]

    def apply(self) -> list[FileChange]:
        """Write what differs, remove the orphans; what was done. Raises OSError."""
        changes = []
        for path in self._different():
            path.parent.mkdir(parents=True, exist_ok=True)
            if replace_if_different(path, self.files[path]):
                changes.append(FileChange(path, "written"))
        for path in self._orphans():
            path.unlink(missing_ok=True)
            changes.append(FileChange(path, "removed"))
        _remove_empty(self.folders)
        return changes

    def _different(self) -> list[Path]:
        return [path for path, text in self.files.items() if not holds(path, text)]

    def _orphans(self) -> list[Path]:
        known = self.files.keys() | self.kept
        return sorted({path for folder in self.folders for path in _files_in(folder) if path not in known})


def _files_in(folder: Path) -> Iterable[Path]:
    """Every file below a generated folder, but for bytecode and what a writer has not finished yet (`.name.…`)."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return (path for path in found if "__pycache__" not in path.parts)


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove generated folders that hold no file any more, with the bytecode of what they held."""
    import shutil

    for folder in folders:
        if folder.is_dir() and not any(_files_in(folder)):
            shutil.rmtree(folder)
