"""The file that holds the bus's token."""

import os
import stat

from trading_api.shared.bus.errors import TokenError

_LONGEST = 4096


def read_token(path: str) -> str:
    """The token in the file `path`, without the white space around it. Raises TokenError, which never repeats it."""
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 (the descriptor's own mode is what counts)
            _refuse_shared(path, os.fstat(file.fileno()))
            token = file.read(_LONGEST).strip()
    except OSError as error:
        raise TokenError(f"cannot read the bus's token in {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TokenError(f"{path} holds no token: it is not ASCII text") from None
    if not token or not token.isprintable():
        raise TokenError(f"{path} holds no token: it must be one line of text")
    return token


def _refuse_shared(path: str, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise TokenError(f"others may read the bus's token in {path} (mode {mode:04o}); run: chmod 600 {path}")
    if status.st_uid not in (0, os.geteuid()):
        raise TokenError(f"{path} belongs to another user (uid {status.st_uid}); only its own user's token is used")
