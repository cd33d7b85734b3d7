"""What supervisord.log tells of the order of things."""

import re
from datetime import UTC, datetime

from support.project import Project

_STOPPED = re.compile(r"^(\S+ \S+),(\d+) \w+ stopped: (\S+) \((.+)\)$", re.MULTILINE)


def stops(project: Project) -> dict[str, datetime]:
    """When each process of the tree was last seen to have stopped, in the order of the log."""
    found: dict[str, datetime] = {}
    for match in _STOPPED.finditer(project.log("supervisord")):
        stamp = datetime.strptime(f"{match[1]}.{match[2]}", "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
        found[match[3]] = stamp
    return found


def endings(project: Project) -> dict[str, str]:
    """How each process was last stopped: `exit status 0`, `terminated by SIGKILL`."""
    return {match[3]: match[4] for match in _STOPPED.finditer(project.log("supervisord"))}


def assert_ordered(project: Project) -> None:
    """The gateway ended first, then every module server, then core, then the log follower."""
    when = stops(project)
    modules = [stamp for name, stamp in when.items() if name not in ("nginx", "core-0", "logs")]
    assert modules, when
    assert when["nginx"] <= min(modules), when
    assert max(modules) <= when["core-0"] <= when["logs"], when
