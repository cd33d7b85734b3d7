"""Text as blocks of decoded lines: a file of any size needs the memory of one block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from trading_api.modules.datafeed.importing.problems import FileError

MAX_LINE = 64 * 1024
BLOCK = 128 * 1024
# No character has more than four bytes.
_ENDLESS = 4 * MAX_LINE
_BOM = b"\xef\xbb\xbf"
_BINARY = "binary data or UTF-16, not CSV text; export the file as CSV in UTF-8"


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines without their ends; the first has this number in the file."""

    first: int
    lines: list[str]


def read_lines(file: BinaryIO) -> Iterator[Lines]:
    """Decode UTF-8 line by line, a block at a time. Raises FileError at the line where that ends, and OSError."""
    first = 1
    for raw in _whole_lines(file):
        block = raw.removeprefix(_BOM) if first == 1 else raw
        lines, problem = _decode(block, first)
        if lines:
            yield Lines(first, lines)
        if problem is not None:
            raise problem
        first += len(lines)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of the file, line feeds for the carriage returns of one whose lines end with these alone."""
    piece = b""
    while b"\n" not in piece and len(piece) <= _ENDLESS and (raw := file.read(BLOCK)):
        piece += raw
    alone = b"\n" not in piece
    while piece:
        yield piece.replace(b"\r", b"\n") if alone else piece
        piece = file.read(BLOCK)


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of the file, cut after line ends; a line that never ends comes as far as it was read."""
    rest = b""
    for raw in _pieces(file):
        cut = raw.rfind(b"\n") + 1
        if cut:
            yield rest + raw[:cut]
            rest = raw[cut:]
        else:
            rest += raw
            if len(rest) > _ENDLESS:
                break
    if rest:
        yield rest


def _decode(raw: bytes, first: int) -> tuple[list[str], FileError | None]:
    """The good lines of a block up to the first bad one, and what is wrong with that."""
    if len(raw) > _ENDLESS and b"\n" not in raw:
        # It may have been cut within a character.
        return [], _line_problem(raw.decode("utf-8", "replace"), first)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _up_to(raw, first, error.start)
    lines = text.removesuffix("\n").split("\n")
    if "\0" in text or max(map(len, lines)) > MAX_LINE:
        bad = next(index for index, line in enumerate(lines) if "\0" in line or len(line) > MAX_LINE)
        return lines[:bad], _line_problem(lines[bad], first + bad)
    return lines, None


def _up_to(raw: bytes, first: int, position: int) -> tuple[list[str], FileError | None]:
    """What stands before a byte that is no UTF-8; an earlier problem counts instead."""
    start = raw.rfind(b"\n", 0, position) + 1
    lines, problem = _decode(raw[:start], first) if start else ([], None)
    if problem is None:
        number = first + len(lines)
        bad = f"byte 0x{raw[position]:02x} at position {position - start}"
        problem = FileError(f"not UTF-8 text ({bad}); export the file as CSV in UTF-8", number)
        if b"\0" in raw[start:].partition(b"\n")[0]:
            problem = FileError(_BINARY, number)
    return lines, problem


def _line_problem(line: str, number: int) -> FileError:
    if "\0" in line:
        return FileError(_BINARY, number)
    return FileError(f"the line is longer than {MAX_LINE} characters; is this a CSV file?", number)
