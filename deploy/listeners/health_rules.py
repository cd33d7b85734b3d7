"""Whom to ask for health, where and how often: read from `.local/etc/tree.json`, anew whenever that file changes."""

import ipaddress
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Whatever the file says: asking more often would only keep supervisord busy.
_LEAST_S = 0.05
_ASKED_TIERS = frozenset({"bus", "core", "modules"})


@dataclass(frozen=True)
class Target:
    """Where a process answers: GET `path`, or with `path` None by a greeting, as nats-server does on its own.

    `argv` is the command of the process that was planned for it; one that runs another command is not asked there.
    """

    host: str
    port: int
    path: str | None
    argv: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"GET http://{self.address}{self.path}" if self.path is not None else f"a connection to {self.address}"


@dataclass(frozen=True)
class HealthRules:
    """`health:` of the configuration, and the targets by supervisor's full names (`broker:broker-0`, `bus:bus`).

    Durations are seconds. `failures` questions in a row without an answer are a hung process; 0: nobody is asked.
    """

    interval: float = 2.0
    timeout: float = 1.0
    start_deadline: float = 60.0
    failures: int = 0
    targets: Mapping[str, Target] = field(default_factory=dict)


class AppliedRules:
    """The rules of the tree that was applied last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: tuple[int, ...] | None = None
        self._rules = HealthRules()

    def read(self) -> HealthRules:
        """The rules as they are now; those that ask nobody where the file is missing, garbled or of an old version."""
        mark = _mark_of(self._path)
        if mark != self._mark:
            self._mark, self._rules = mark, _read(self._path)
        return self._rules


def _mark_of(path: Path) -> tuple[int, ...] | None:
    """What differs after every replacement of the file; None without one."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _read(path: Path) -> HealthRules:
    try:
        return _rules(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return HealthRules()


def _rules(document: dict[str, object]) -> HealthRules:
    rows = document["processes"]
    if not isinstance(rows, list):
        raise TypeError("processes: not a list")
    return HealthRules(
        interval=_seconds(document["health_interval"]),
        timeout=_seconds(document["health_timeout"]),
        start_deadline=_seconds(document["start_deadline"]),
        failures=int(str(document["health_failures"])),
        targets={_rpc_name(row["full_name"]): _target(row) for row in rows if row["tier"] in _ASKED_TIERS},
    )


def _seconds(value: object) -> float:
    seconds = float(str(value))
    if not 0 <= seconds < 1e6:
        raise ValueError(f"{value!r} is no duration")
    return max(seconds, _LEAST_S)


def _rpc_name(full_name: str) -> str:
    """A group of one that bears its process's name is written `bus`, and is `bus:bus` to supervisor."""
    return full_name if ":" in full_name else f"{full_name}:{full_name}"


def _target(row: Mapping[str, object]) -> Target:
    path = row["health_path"]
    if path is None and row["tier"] != "bus":
        raise ValueError("neither a server nor a bus")
    port = int(str(row["port"]))
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port")
    # A name would have to be looked up, and supervisord would wait for that.
    host = str(ipaddress.ip_address(str(row["host"])))
    return Target(host, port, None if path is None else str(path), tuple(shlex.split(str(row["command"]))))
