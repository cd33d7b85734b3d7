"""The secret that a bus asks its clients for: the own bus's, made once and kept over restarts, or a cluster's."""

import os
import re
import secrets
import stat
from pathlib import Path

from deploy.errors import DeployError

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\n")
_MOST_BYTES = 256
_LONGEST_FOREIGN = 4096


class TokenFileRefused(DeployError):
    """The file that `bus.token_file` names is of no use to the servers. Nothing was started."""


def check_token_file(name: str | None, folder: Path) -> None:
    """Raise TokenFileRefused where the servers would refuse this token, by the rules of `trading_api.shared.bus`.

    A relative `name` begins at `folder`. The token itself is never repeated.
    """
    if name is None:
        return
    try:
        with (folder / name).open("rb") as file:
            problem = _shared(name, os.fstat(file.fileno())) or _no_token(name, file.read(_LONGEST_FOREIGN))
    except OSError as error:
        problem = f"cannot read {name}: {error.strerror}"
    if problem:
        raise TokenFileRefused(f"bus.token_file: {problem}; nothing was started or changed")


def _shared(name: str, status: os.stat_result) -> str:
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        return f"others may read the token in {name} (mode {mode:04o}); run: chmod 600 {name}"
    if status.st_uid not in (0, os.geteuid()):
        return f"{name} belongs to another user (uid {status.st_uid}); only its own user's token is used"
    return ""


def _no_token(name: str, content: bytes) -> str:
    text = content.decode("ascii", "replace").strip()
    whole = text.isascii() and text.isprintable() and text
    return "" if whole else f"{name} holds no token: it must be one line of ASCII text"


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
