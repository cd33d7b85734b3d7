"""Which files in the log folder belong together, and the names under which their lines appear."""

from collections.abc import Iterable
from pathlib import Path

from deploy.errors import DeployError

UNIFIED = "backend-unified.log"
NGINX = ("nginx-access.log", "nginx-error.log")


class UnknownProcessError(DeployError):
    """A name was asked for that has no log file. Exit code 2."""

    exit_code = 2


def process_logs(directory: Path) -> list[Path]:
    """The per-process logs that the merged view and the unified file hold, by name; supervisord's own included.

    A log exists as soon as its live file or its first backup does: between the two renames of a rotation only the
    backup is there.
    """
    found = {path.with_name(path.name.removesuffix(".1")) for path in _files(directory)}
    return sorted(path for path in found if path.name != UNIFIED and path.name not in NGINX)


def nginx_logs(directory: Path) -> list[Path]:
    """nginx's own two logs, where they exist."""
    return [path for path in (directory / name for name in NGINX) if path.exists()]


def name_of(path: Path) -> str:
    """`broker-0` for `…/broker-0.log`."""
    return path.name.removesuffix(".log")


def select(paths: Iterable[Path], names: Iterable[str]) -> list[Path]:
    """The paths with one of `names`; all of them when no name is given.

    A name is a process (`broker-0`), a server with all its instances (`broker`), or supervisor's way of writing
    either (`broker:broker-0`, `broker:*`). Raises UnknownProcessError for a name without a log.
    """
    known = list(paths)
    chosen: set[Path] = set()
    wanted = list(names)
    for name in wanted:
        matching = {path for path in known if _matches(name_of(path), name)}
        if not matching:
            have = ", ".join(name_of(path) for path in known) or "none yet"
            raise UnknownProcessError(f"no log of a process {name!r}; there are logs of: {have}")
        chosen |= matching
    return [path for path in known if path in chosen] if wanted else known


def _files(directory: Path) -> list[Path]:
    try:
        entries = list(directory.iterdir())
    except FileNotFoundError:
        return []
    return [path for path in entries if path.name.endswith((".log", ".log.1")) and not path.name.startswith(".")]


def _matches(process: str, name: str) -> bool:
    group, colon, member = name.partition(":")
    if colon and member not in ("", "*"):
        return process == member
    base, _, instance = process.rpartition("-")
    return process == group or (base == group and instance.isdecimal())
