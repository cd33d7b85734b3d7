"""The stamp in the header of `ws_generated/__init__.py`: what the folder was generated from, and what it then held.

`# routers: from <hash> files <hash> formatted`: the first is of the declarations, the import name, the templates and
the generator; the second of every generated file. Both are the same on every machine. Checking it reads the files
and imports nothing, for it is done at every start.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path

from trading_api.shared.ws.generation.source import Source, WsFolder

INDEX = "__init__.py"
_MARK = b"# routers: "
_SIZE = 12


def stamped(files: Mapping[str, str], source: Source, *, formatted: bool) -> dict[str, str]:
    """`files` with the stamp below the docstring of `__init__.py`, which must be one line."""
    stamp = _stamp(source, {name: text.encode() for name, text in files.items()}, formatted=formatted)
    first, _, rest = files[INDEX].partition("\n")
    return {**files, INDEX: f"{first}\n\n{stamp.decode()}\n{rest}"}


def is_current(source: Source, *, formatted: bool = False) -> bool:
    """Whether the folder holds what `source` generates; with `formatted`, formatted too."""
    files = read_generated(source.folder)
    stamp, files[INDEX] = _without_stamp(files.get(INDEX, b""))
    kinds = (True,) if formatted else (True, False)
    return any(stamp == _stamp(source, files, formatted=kind) for kind in kinds)


def read_generated(folder: WsFolder) -> dict[str, bytes]:
    """The Python files of the generated folder by name; none where there is no folder."""
    return {name: (folder.generated / name).read_bytes() for name in generated_names(folder)}


def generated_names(folder: WsFolder) -> list[str]:
    """The names of the Python files in the generated folder."""
    try:
        with os.scandir(folder.generated) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(".py") and entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _without_stamp(index: bytes) -> tuple[bytes, bytes]:
    """The stamp of an index, and the index without it and the empty line before it."""
    before, mark, after = index.partition(b"\n\n" + _MARK)
    stamp, _, rest = after.partition(b"\n")
    return (_MARK + stamp, before + b"\n" + rest) if mark else (b"", index)


def _stamp(source: Source, files: Mapping[str, bytes], *, formatted: bool) -> bytes:
    origin = _digest((source.folder.package.encode(), source.text, _generator()))
    held = _digest(part for name in sorted(files) for part in (name.encode(), files[name]))
    return _MARK + f"from {origin} files {held} {'formatted' if formatted else 'unformatted'}".encode()


@cache
def _generator() -> bytes:
    """Everything that decides what is generated, but for the declarations."""
    folder = Path(__file__).parent
    files = sorted((*folder.glob("*.py"), *folder.glob("templates/*.j2")))
    return b"\0".join(file.read_bytes() for file in files)


def _digest(parts: Iterable[bytes]) -> str:
    # The length goes first, or bytes could move from one part to the next unnoticed.
    joined = b"".join(b"%d:%s" % (len(part), part) for part in parts)
    return blake2b(joined, digest_size=_SIZE).hexdigest()
