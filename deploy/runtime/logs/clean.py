"""`make logs-clean`: empties the logs and keeps the files (row P13)."""

import os
import re
from collections.abc import Callable
from pathlib import Path

_LOG = re.compile(r"[^.].*\.log(\.\d+)?")


def clean(directory: Path, reopen: Callable[[], None] | None = None) -> list[Path]:
    """Truncate every log in `directory`, live files and backups, and return those that held anything.

    Nothing is deleted, so whoever has a file open goes on with it; backups are emptied as well, because the views
    read on into them and cleaned lines would come back. With a running tree `reopen` should be
    `supervisor_call.reopen_logs`: after its first rotation supervisord no longer appends but writes at a remembered
    offset, and would leave a hole of zeros before its next line. The readers here skip such a hole; others show it.
    Raises what `reopen` raises, before anything was touched, and OSError.
    """
    if reopen is not None:
        reopen()
    return [path for path in _logs(directory) if _empty(path)]


def _logs(directory: Path) -> list[Path]:
    try:
        found = [path for path in directory.iterdir() if _LOG.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def _empty(path: Path) -> bool:
    try:
        # No O_CREAT: a file that rotates away meanwhile is not to come back; no link: it may lead out of the folder.
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        held = os.fstat(descriptor).st_size > 0
        os.ftruncate(descriptor, 0)
        return held
    finally:
        os.close(descriptor)
