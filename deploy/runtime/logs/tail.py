"""Reads the complete lines of one rotating log file, each exactly once."""

import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.runtime.logs.chain import OpenLog, open_chain

PIECE = 64 * 1024
"""Longest line in bytes; a longer one arrives in pieces of this size."""

IDLE_SECONDS = 1.0
"""A last line without its newline is handed out after this time without growth."""

_CHUNK = 64 * 1024
_EVIDENCE = 256


@dataclass(frozen=True)
class Position:
    """Where the first line not yet handed out begins.

    `offset` counts bytes. `check` is the CRC-32 of the up to 256 bytes before it: inode numbers are used again and
    a truncated file grows again, so the number and the size alone prove nothing. `modified` is the file's mtime
    in ns when it was last read; it tells newer files from older ones when the file itself is gone.
    """

    inode: int
    offset: int
    check: int
    modified: int


class FileTail:
    """Follows `path` through rotation, truncation, absence and restarts of the reader.

    A line cut in two by a rotation is put together again: supervisord rotates wherever its buffer ends. Without a
    `position` everything is read, the backups first; `at_end` starts after the last complete line instead.
    Lost is only what the writer deletes (more than all its backups) before it was read once.
    """

    def __init__(
        self,
        path: Path,
        position: Position | None = None,
        *,
        at_end: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._clock = clock
        self._files: deque[OpenLog] = deque()
        self._offset = 0
        self._before = b""
        self._partial = b""
        self._grown = 0.0
        self._position = position
        if at_end:
            self._skip_to_end()

    @property
    def position(self) -> Position | None:
        """Where to resume; None while nothing was ever read."""
        return self._position

    def read(self, limit: int = 1024 * 1024) -> bytes:
        """The next complete lines, each ended by a newline; about `limit` bytes at most; empty when there are none.

        Raises OSError when the file exists but cannot be read.
        """
        blocks: list[bytes] = []
        size = 0
        while size < limit:
            try:
                block = self._read_chunk(min(_CHUNK, limit))
            except OSError:
                if not blocks:
                    raise
                break
            if block is None:
                break
            blocks.append(block)
            size += len(block)
        if not size and self._partial and self._clock() - self._grown >= IDLE_SECONDS:
            return self.flush()
        return b"".join(blocks)

    def flush(self) -> bytes:
        """The unfinished last line, now ended by a newline; empty when there is none."""
        if not self._partial:
            return b""
        line, self._partial = self._partial, b""
        self._mark(self._offset, self._before)
        return line + b"\n"

    def close(self) -> None:
        """Close every file. The position stays valid."""
        while self._files:
            self._files.popleft().close()

    def _read_chunk(self, count: int) -> bytes | None:
        """Lines from the next chunk, b"" when it ends none, None at the end of everything."""
        while True:
            if not self._files and not self._open_new():
                return None
            data = self._files[0].read(self._offset - len(self._before), count + len(self._before))
            if not data.startswith(self._before):
                return self._restart()
            if len(data) > len(self._before):
                return self._take(data)
            if not self._advance():
                return None

    def _take(self, data: bytes) -> bytes:
        chunk = data[len(self._before) :]
        self._offset += len(chunk)
        self._grown = self._clock()
        if not self._partial:
            # A file truncated under a writer that does not append starts with a hole, which reads as zeros.
            chunk = chunk.lstrip(b"\0")
        lines, self._partial = _split(self._partial + chunk, len(self._partial))
        self._before = data[-_EVIDENCE:]
        if len(self._partial) <= len(chunk):
            until = len(data) - len(self._partial)
            self._mark(self._offset - len(self._partial), data[max(0, until - _EVIDENCE) : until])
        return lines

    def _mark(self, offset: int, before: bytes) -> None:
        log = self._files[0]
        self._position = Position(log.inode, offset, zlib.crc32(before), log.status().st_mtime_ns)

    def _restart(self) -> bytes:
        """The file was truncated: begin again. What was read of its last line still counts."""
        line, self._partial = self._partial, b""
        self._begin()
        return line and line + b"\n"

    def _advance(self) -> bool:
        """At the end of a file: whether there is more to read, in it or in a newer one."""
        if len(self._files) > 1:
            self._files.popleft().close()
            self._begin()
            return True
        try:
            live = self.path.stat().st_ino
        except FileNotFoundError:
            return False
        return live != self._files[0].inode and self._open_newer()

    def _begin(self) -> None:
        self._offset, self._before = 0, b""
        if not self._partial:
            self._mark(0, b"")

    def _open_new(self) -> bool:
        if self._position is not None:
            return self._resume(self._position)
        self._files.extend(reversed(open_chain(self.path)))
        if self._files:
            self._begin()
        return bool(self._files)

    def _open_newer(self) -> bool:
        """After a rotation: line up the files that came after the present one, oldest first.

        The present one is then read to its end once more: it may have grown until it was renamed.
        """
        present = self._files[0]
        chain = open_chain(self.path, lambda log: log.inode == present.inode)
        newer = _newer_than(chain, present.inode, present.status().st_mtime_ns)
        self._files.extend(newer)
        return bool(newer)

    def _resume(self, position: Position) -> bool:
        chain = open_chain(self.path, lambda log: _is_at(log, position))
        if chain and _is_at(chain[-1], position):
            self._files.extend(reversed(chain))
            self._offset = position.offset
            self._before = _evidence(chain[-1], position.offset)
            return True
        self._files.extend(_newer_than(chain, 0, position.modified))
        if self._files:
            self._begin()
        return bool(self._files)

    def _skip_to_end(self) -> None:
        self._files.extend(open_chain(self.path, lambda _: True))
        if not self._files:
            return
        log = self._files[0]
        self._offset = _end_of_last_line(log)
        self._before = _evidence(log, self._offset)
        self._mark(self._offset, self._before)


def _split(text: bytes, kept: int) -> tuple[bytes, bytes]:
    """(complete lines, unfinished rest). A line over PIECE bytes is cut; only the first can be that long.

    `kept` bytes of the text come from earlier chunks; no cut is made within them, so that the rest always begins
    in the newest chunk.
    """
    lines: list[bytes] = []
    start = 0
    newline = text.find(b"\n")
    length = newline if newline >= 0 else len(text)
    longest = PIECE if newline >= 0 else PIECE - 1
    while length - start > longest:
        cut = _character_start(text, min(start + PIECE, len(text) - 1), max(kept, start + 1))
        lines.append(text[start:cut] + b"\n")
        start = cut
    end = max(start, text.rfind(b"\n") + 1)
    lines.append(text[start:end])
    return b"".join(lines), text[end:]


def _character_start(text: bytes, index: int, lowest: int) -> int:
    """`index`, or up to three bytes before it where a UTF-8 character would be cut; `lowest` bounds the search."""
    for candidate in range(index, max(index - 4, lowest - 1), -1):
        if text[candidate] & 0xC0 != 0x80:
            return candidate
    return index


def _evidence(log: OpenLog, offset: int) -> bytes:
    start = max(0, offset - _EVIDENCE)
    return log.read(start, offset - start)


def _is_at(log: OpenLog, position: Position) -> bool:
    if log.inode != position.inode or log.status().st_size < position.offset:
        return False
    return zlib.crc32(_evidence(log, position.offset)) == position.check


def _newer_than(chain: list[OpenLog], inode: int, modified: int) -> list[OpenLog]:
    """The files of a chain after the one with `inode`, oldest first; the others are closed.

    Where that one is no longer in the chain, those written since it was last written (`modified`, ns).
    """
    found = any(log.inode == inode for log in chain)
    newer: list[OpenLog] = []
    for log in reversed(chain):
        if log.inode != inode and (found or log.status().st_mtime_ns >= modified):
            newer.append(log)
        else:
            log.close()
    return newer


def _end_of_last_line(log: OpenLog) -> int:
    end = log.status().st_size
    while end > 0:
        start = max(0, end - _CHUNK)
        newline = log.read(start, end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
