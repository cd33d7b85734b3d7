"""Replaces files at once: no reader ever sees half of one (G09), and an unchanged one is not touched."""

import os
import tempfile
from pathlib import Path


def holds(path: Path, text: str) -> bool:
    """Whether the file at `path` holds exactly `text`."""
    return path.is_file() and path.read_bytes() == text.encode()


def replace_if_different(path: Path, text: str) -> bool:
    """Make the file at `path` hold `text`; False if it did. The folder must exist. Raises OSError, nothing done."""
    if holds(path, text):
        return False
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        # mkstemp makes it private; this is source, for everybody who may read the rest.
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True
