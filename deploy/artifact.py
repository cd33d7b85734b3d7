"""Files that the tool makes, and the one place that writes them: atomically, and only where bytes differ."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError


class ArtifactError(DeployError):
    """A file could not be written; the former one is untouched."""


@dataclass(frozen=True)
class Artifact:
    """A file to be: its absolute path, its text, its permissions."""

    path: Path
    content: str
    mode: int = 0o600

    def differs(self) -> bool:
        """Whether the disk holds something else."""
        try:
            return self.path.read_bytes() != self.content.encode()
        except OSError:
            return True


def make_folders(folders: Iterable[Path]) -> None:
    """Create `folders` with mode 0700. Raises ArtifactError naming the first that cannot be made or used."""
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=False, exist_ok=True)
        except FileExistsError:
            raise ArtifactError(f"{folder}: is a file, not a folder; move it away") from None
        except OSError as error:
            raise ArtifactError(f"{folder}: cannot be created: {error.strerror}; {_advice(folder)}") from None
        stat = folder.stat()
        if not os.access(folder, os.W_OK | os.X_OK) or stat.st_uid not in (os.getuid(), 0):
            raise ArtifactError(f"{folder}: not writable by this user; {_advice(folder)}")
        if folder.name.startswith("backend-") and stat.st_uid != os.getuid():
            raise ArtifactError(f"{folder}: belongs to another user; remove it or set XDG_RUNTIME_DIR")


def _advice(folder: Path) -> str:
    return f"check who owns {folder.parent} and whether its disk is full or read-only"


def write(artifacts: Iterable[Artifact]) -> list[Path]:
    """Write every artifact whose bytes differ; returns those written. Never half a file. Raises ArtifactError."""
    return [artifact.path for artifact in artifacts if artifact.differs() and _replace(artifact)]


def _replace(artifact: Artifact) -> bool:
    folder = artifact.path.parent
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{artifact.path.name}.")
    except OSError as error:
        raise ArtifactError(f"{artifact.path}: cannot be written: {error.strerror}; {_advice(artifact.path)}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), artifact.mode)
            file.write(artifact.content.encode())
        Path(name).replace(artifact.path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise ArtifactError(f"{artifact.path}: cannot be written: {error.strerror}; {_advice(artifact.path)}") from None
    return True
