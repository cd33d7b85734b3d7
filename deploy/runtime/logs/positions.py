"""The follower's memory: how far each log was read, and what the unified file held at that moment."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.runtime.logs.tail import Position
from deploy.runtime.logs.unified import Mark

_VERSION = 1
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class State:
    """One commit: everything before these positions is in the unified file, up to `unified`, exactly once."""

    positions: dict[str, Position] = field(default_factory=dict)
    unified: Mark | None = None


def save(path: Path, state: State) -> None:
    """Replace the state file in one step, mode 0600. Raises OSError and leaves the former one in place."""
    document = {
        "version": _VERSION,
        "unified": asdict(state.unified) if state.unified else None,
        "positions": {name: asdict(position) for name, position in state.positions.items()},
    }
    temporary = path.with_name(f"{path.name}.new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(document, file)
    temporary.replace(path)


def load(path: Path) -> State | None:
    """The last commit; None when there is none or it cannot be understood (then the logs are read from their start)."""
    try:
        with path.open(encoding="utf-8") as file:
            document = json.loads(file.read(_MAX_BYTES))
        return _parse(document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _parse(document: dict[str, object]) -> State:
    if document["version"] != _VERSION:
        raise ValueError("another version")
    positions, unified = document["positions"], document["unified"]
    if not isinstance(positions, dict):
        raise TypeError("positions: not an object")
    reached = {str(name): Position(**_integers(fields)) for name, fields in positions.items()}
    return State(reached, None if unified is None else Mark(**_integers(unified)))


def _integers(fields: object) -> dict[str, int]:
    if not isinstance(fields, dict) or not all(type(value) is int and value >= 0 for value in fields.values()):
        raise TypeError("not an object of counts")
    return fields
