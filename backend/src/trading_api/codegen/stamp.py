"""Stamp: for which tree everything generated was last found, or made, current. A cache: losing it costs time only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trading_api.codegen.tree import Tree

_FORMAT = 1
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """What was, or is to be, made current. `modules` empty: every one. `quick`: without the clients."""

    modules: frozenset[str] = frozenset()
    quick: bool = False

    def key(self) -> str:
        return ",".join(sorted(self.modules)) or EVERYTHING

    def covered_by(self, other: "Scope") -> bool:
        """Whether what was done for `other` includes this."""
        return (self.quick or not other.quick) and (
            not other.modules or (bool(self.modules) and self.modules <= other.modules)
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """`scopes` hold for the tree with digest `tree`. `clients` goes from `broker:v1` to what its client came from."""

    tree: str = ""
    scopes: frozenset[Scope] = frozenset()
    clients: Mapping[str, str] = field(default_factory=dict)

    def covers(self, tree: Tree, scope: Scope) -> bool:
        """Whether nothing is to be done for `scope`."""
        return self.tree == tree.digest and any(scope.covered_by(done) for done in self.scopes)

    def extended(self, tree: Tree, scope: Scope, clients: Mapping[str, str]) -> "Stamp":
        """The stamp after `scope` was made current in `tree`; what was known of another tree is dropped."""
        former = self.scopes if self.tree == tree.digest else frozenset[Scope]()
        return Stamp(tree.digest, former | {scope}, {**self.clients, **clients})


def stamp_path(package: Path) -> Path:
    """Beside the bytecode: ignored by git, by watch mode and by the wheel."""
    return package / "__pycache__" / "generated.stamp"


def read_stamp(package: Path) -> Stamp:
    """The stamp of the package; one that covers nothing where there is none that can be read."""
    try:
        document = json.loads(stamp_path(package).read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            return Stamp()
        scopes = frozenset(Scope(_modules(key), quick) for key, quick in document["scopes"])
        return Stamp(str(document["tree"]), scopes, dict(document["clients"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Stamp()


def write_stamp(package: Path, stamp: Stamp) -> None:
    """Keep `stamp`, if the folder may be written to."""
    from trading_api.shared.atomic import replace_if_different

    path = stamp_path(package)
    document = {
        "format": _FORMAT,
        "tree": stamp.tree,
        "scopes": sorted([scope.key(), scope.quick] for scope in stamp.scopes),
        "clients": dict(stamp.clients),
    }
    try:
        path.parent.mkdir(exist_ok=True)
        replace_if_different(path, json.dumps(document, indent=1, sort_keys=True) + "\n")
    except OSError:
        return


def _modules(key: str) -> frozenset[str]:
    return frozenset() if key == EVERYTHING else frozenset(key.split(","))
