"""Tree: what every file of the package holds, as digests. Two equal trees generate the same, and hold the same."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

_SKIPPED = frozenset({"__pycache__"})
_SIZE = 16


@dataclass(frozen=True)
class Tree:
    """`files` goes from path (relative to the package, with `/`) to digest; `environment` is what else decides."""

    files: Mapping[str, str]
    environment: str

    @cached_property
    def digest(self) -> str:
        """Of all files: sources and generated ones alike."""
        return self.digest_of("")

    def digest_of(self, *prefixes: str) -> str:
        """Of the files whose path starts with one of `prefixes`."""
        chosen = (f"{path}\0{self.files[path]}\n" for path in sorted(self.files) if path.startswith(prefixes))
        return digest(self.environment, *chosen)


def read_tree(package: Path) -> Tree:
    """The tree of the folder `package` now. A file that goes while it is read is left out."""
    found = {}
    for path in _files(str(package)):
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (hundreds of files; this is the quick way)
                content = file.read()
        except FileNotFoundError:
            continue
        found[path[len(str(package)) + 1 :].replace(os.sep, "/")] = blake2b(content, digest_size=_SIZE).hexdigest()
    return Tree(found, environment())


def digest(*parts: str) -> str:
    """One digest of several texts, in their order."""
    made = blake2b(digest_size=_SIZE)
    for part in parts:
        made.update(f"{len(part)}:{part}".encode())
    return made.hexdigest()


def environment() -> str:
    """The Python version, and every installed package with its version: another generator generates otherwise."""
    names = sorted({name for folder in sys.path for name in _installed(folder)})
    return digest(f"{sys.version_info[0]}.{sys.version_info[1]}", *names)


def _installed(folder: str) -> Iterable[str]:
    try:
        return [name for name in os.listdir(folder or ".") if name.endswith(".dist-info")]  # noqa: PTH208 (names)
    except OSError:
        return ()


def _files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED:
                    yield from _files(entry.path)
            # What a writer has not finished yet (`.name.…`) is no file of the tree.
            elif not entry.name.startswith("."):
                yield entry.path
