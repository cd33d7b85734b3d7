"""Where the text of a catalogue comes from, and where it goes."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import IO

from trading_api.modules.datafeed.instruments.catalogue import FORMATS
from trading_api.shared.atomic import replace_if_different

STANDARD = "-"
"""Stands for standard input or output."""
MAX_BYTES = 64 * 2**20
_FORMATS = {".yaml": "yaml", ".yml": "yaml", ".csv": "csv"}


def format_of(file: str, said: str | None) -> str:
    """One of FORMATS: what was said, else by the name of the file. Raises ValueError when neither tells."""
    if said is not None:
        return said
    found = "yaml" if file == STANDARD else _FORMATS.get(Path(file).suffix.lower())
    if found is None:
        raise ValueError(f"{file}: ends neither in .yaml nor in .csv; say --format {' or --format '.join(FORMATS)}")
    return found


def read_text(file: str) -> str:
    """The text of a file, or of standard input. Raises ValueError for one that cannot be a catalogue."""
    try:
        content = _read_some(sys.stdin.buffer) if file == STANDARD else _read_file(Path(file))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{file}: no such file") from None
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"{file}: is larger than {MAX_BYTES // 2**20} MB; divide it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{file}:{line}: is not UTF-8; save it as UTF-8 text") from None


def write_text(file: str, text: str) -> None:
    """Replace the file at once, or write to standard output. Raises ValueError when that cannot be done."""
    if file == STANDARD:
        # UTF-8 whatever the terminal's locale says: it must be possible to read it again.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    path = Path(file)
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="")
        else:
            replace_if_different(path, text)
    except OSError as error:
        raise ValueError(f"{file}: cannot be written: {error.strerror or error}") from error


def _read_file(path: Path) -> bytes:
    if stat.S_ISDIR(path.stat().st_mode):
        raise ValueError(f"{path}: is a directory; give a file")
    with path.open("rb") as file:
        return _read_some(file)


def _read_some(file: IO[bytes]) -> bytes:
    """One byte more than is allowed tells that there is too much."""
    return file.read(MAX_BYTES + 1)
