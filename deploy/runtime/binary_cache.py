"""Remembers what a binary said of itself, so that it is asked once and not at every command."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MAX_BYTES = 64 * 1024
_MAX_ENTRIES = 16


@dataclass(frozen=True)
class Facts:
    """Its version, and those of the needed parts that the build lacks."""

    version: tuple[int, int, int]
    lacks: tuple[str, ...] = ()


class BinaryCache:
    """A small JSON file; without a path it forgets at once. A file that cannot be used is as good as none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def get(self, binary: Path) -> Facts | None:
        """What `binary` said, if it is the same file as then (mtime in ns, size in bytes). Raises OSError."""
        if self._path is None:
            return None
        entry = self._entries().get(str(binary))
        if not isinstance(entry, dict) or entry.get("file") != _identity(binary):
            return None
        return _facts(entry)

    def put(self, binary: Path, facts: Facts) -> Facts:
        """Remember `facts`, and return them. A disk that will not take them is no reason to fail. Raises OSError
        when `binary` has gone."""
        entry = {"file": _identity(binary), "version": list(facts.version), "lacks": list(facts.lacks)}
        if self._path is not None:
            kept = [item for item in self._entries().items() if item[0] != str(binary)][-_MAX_ENTRIES + 1 :]
            self._write(self._path, {**dict(kept), str(binary): entry})
        return facts

    def _entries(self) -> dict[str, object]:
        if self._path is None:
            return {}
        try:
            with self._path.open(encoding="utf-8") as file:
                entries = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    @staticmethod
    def _write(path: Path, entries: dict[str, object]) -> None:
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                json.dump(entries, file)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _identity(binary: Path) -> list[int]:
    status = binary.stat()
    return [status.st_mtime_ns, status.st_size]


def _facts(entry: dict[str, object]) -> Facts | None:
    version, lacks = entry.get("version"), entry.get("lacks")
    if not isinstance(version, list) or not isinstance(lacks, list) or len(version) != 3:
        return None
    if not all(type(number) is int for number in version) or not all(type(part) is str for part in lacks):
        return None
    return Facts((version[0], version[1], version[2]), tuple(lacks))
