"""The tree as it was last applied, read back from `.local/etc/tree.json`."""

import json
from dataclasses import dataclass
from pathlib import Path

_DEFAULT_GRACE_S = 3.0


@dataclass(frozen=True)
class AppliedProcess:
    """One process: where it listens, and the path at which it answers for its health (None: it has no such path).

    `health_paths`: those of each of its modules; empty in what an earlier version wrote.
    """

    name: str
    full_name: str
    tier: str
    host: str | None
    port: int | None
    modules: tuple[str, ...]
    health_path: str | None
    health_paths: tuple[str, ...] = ()

    @property
    def answers(self) -> bool:
        """Whether it can be asked for its health by itself: a server by its path, the bus by its greeting."""
        return self.endpoint is not None and (self.health_path is not None or self.tier == "bus")

    @property
    def endpoint(self) -> tuple[str, int] | None:
        return (self.host, self.port) if self.host and self.port else None


@dataclass(frozen=True)
class AppliedTree:
    """The whole tree. `grace` and `health_timeout` are seconds."""

    config: str = ""
    grace: float = _DEFAULT_GRACE_S
    health_timeout: float = 1.0
    gateway_health_paths: tuple[str, ...] = ()
    processes: tuple[AppliedProcess, ...] = ()

    def named(self, full_name: str) -> AppliedProcess | None:
        return next((process for process in self.processes if process.full_name == full_name), None)


def read(path: Path) -> AppliedTree:
    """The applied tree; an empty one when nothing was applied, or the file cannot be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return AppliedTree(
            config=str(document["config"]),
            grace=float(document["grace"]),
            health_timeout=float(document["health_timeout"]),
            gateway_health_paths=tuple(document["gateway_health_paths"]),
            processes=tuple(_process(row) for row in document["processes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return AppliedTree()


def _process(row: dict[str, object]) -> AppliedProcess:
    modules, paths = row["modules"], row.get("health_paths")
    return AppliedProcess(
        name=str(row["name"]),
        full_name=str(row["full_name"]),
        tier=str(row["tier"]),
        host=str(row["host"]) if row["host"] else None,
        port=int(str(row["port"])) if row["port"] else None,
        modules=tuple(str(module) for module in modules) if isinstance(modules, list) else (),
        health_path=str(row["health_path"]) if row["health_path"] else None,
        health_paths=tuple(str(path) for path in paths) if isinstance(paths, list) else (),
    )
