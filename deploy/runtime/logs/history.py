"""The last lines of a rotated log, up to a position from which it can be followed on.

A record is shown with its head: where the last lines would begin inside a traceback, they begin at its first line, if
that is at most 500 lines further back.
"""

from pathlib import Path

from deploy.runtime.logs.chain import OpenLog, open_chain
from deploy.runtime.logs.stamps import stamp_of
from deploy.runtime.logs.tail import PIECE, FileTail, Position

_BLOCK = 64 * 1024
_REACH = 500


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines of the log at `path`, the unfinished one included, oldest first.

    Goes on into the backups where the live file has fewer; empty when there is no file. Bytes that are no UTF-8
    become U+FFFD; a line over 64 KiB comes in pieces. Raises OSError.
    """
    tail = FileTail(path, at_end=True)
    try:
        lines = _lines_before(tail, count + _REACH) if count > 0 else []
        return last_records(lines + decode(tail.read() + tail.flush()), count)
    finally:
        tail.close()


def lines_before(tail: FileTail, count: int) -> list[str]:
    """The `count` lines before the position of `tail`, and those that belong to the first. Raises OSError."""
    return last_records(_lines_before(tail, count + _REACH), count) if count > 0 else []


def last_records(lines: list[str], count: int) -> list[str]:
    """The last `count` of `lines`, and up to 500 more, back to the first line with a time stamp."""
    if count <= 0:
        return []
    start = max(0, len(lines) - count)
    heads = (index for index in range(start, max(-1, start - _REACH - 1), -1) if stamp_of(lines[index]) is not None)
    return lines[next(heads, start) if start else 0 :]


def _lines_before(tail: FileTail, count: int) -> list[str]:
    position = tail.position
    if position is None:
        return []
    newer = open_chain(tail.path, lambda log: log.inode == position.inode)
    found = bool(newer) and newer[-1].inode == position.inode
    older = [log for log in open_chain(tail.path) if not any(log.inode == known.inode for known in newer)]
    try:
        return decode(_read_back(newer[-1:] + older, position, count) if found else b"")[-count:]
    finally:
        for log in newer + older:
            log.close()


def decode(block: bytes) -> list[str]:
    """The lines of a block, cut at newlines only, each at most 64 KiB."""
    text = block.decode("utf-8", "replace")
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line[start : start + PIECE] for line in lines for start in range(0, max(len(line), 1), PIECE)]


def _read_back(files: list[OpenLog], position: Position, count: int) -> bytes:
    """At least `count` lines that end at `position`, from `files`, newest first; fewer when there are no more."""
    blocks: list[bytes] = []
    newlines = 0
    end = position.offset
    for log in files:
        while end > 0 and newlines <= count:
            start = max(0, end - _BLOCK)
            blocks.append(log.read(start, end - start).lstrip(b"\0"))
            newlines += blocks[-1].count(b"\n")
            end = start
        if newlines > count:
            break
        end = _size_of_next(files, log)
    return b"".join(reversed(blocks))


def _size_of_next(files: list[OpenLog], log: OpenLog) -> int:
    following = files[files.index(log) + 1 :]
    return following[0].status().st_size if following else 0
