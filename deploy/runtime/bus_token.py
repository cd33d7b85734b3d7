"""The secret that the tree's own bus asks its clients for: made once, kept over restarts."""

import os
import re
import secrets
import stat
from pathlib import Path

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\n")
_MOST_BYTES = 256


def bus_token(path: Path) -> str:
    """The token in `path`, or a new one where there is none that is whole and nobody else could have read.

    Writes nothing.
    """
    return _kept(path) or secrets.token_urlsafe(32)


def _kept(path: Path) -> str | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not _is_private(os.fstat(handle)):
            return None
        text = os.read(handle, _MOST_BYTES).decode("ascii", "replace")
    finally:
        os.close(handle)
    return text.rstrip("\n") if _TOKEN.fullmatch(text) else None


def _is_private(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and not status.st_mode & 0o077 and status.st_uid == os.getuid()
